using System.Text;
using System.Text.Json;
using FluentValidation.Results;

namespace SignalHub.Http;

/// <summary>
/// What is wrong with a condition inside a request, or (in the <c>warnings</c> of an answer) probably wrong. Positions are
/// UTF-16 offsets into the condition's text, lines and columns count from 1.
/// </summary>
/// <param name="Pointer">JSON Pointer of the condition in the request, e.g. <c>/criteria/2/when</c>.</param>
/// <param name="Code">The word of the condition language, e.g. <c>expected_operand</c>; warnings: <c>unknown_field</c>, <c>type_mismatch</c>.</param>
/// <param name="Detail">A sentence that alone tells what to change.</param>
public sealed record ConditionFault(
    string Pointer, string Code, string Detail, int Start, int End, int Line, int Column, string Snippet, string? Hint,
    IReadOnlyList<string> Expected);

/// <summary>Turns what a validator found into a problem: property paths become JSON Pointers in snake_case.</summary>
public static class InvalidFields
{
    /// <summary>
    /// Null if nothing was found. A failure whose custom state is a <see cref="ConditionFault"/> is answered as
    /// <c>invalid_condition</c> with the fault's position as members of the problem.
    /// </summary>
    public static Problem? ToProblem(this ValidationResult result)
    {
        if (result.IsValid)
        {
            return null;
        }
        var errors = new List<FieldError>(result.Errors.Count);
        foreach (var failure in result.Errors)
        {
            var pointer = Pointer(failure.PropertyName);
            // In errors[] the condition language's own word tells more than that the condition is invalid.
            var code = failure.CustomState is ConditionFault fault ? fault.Code : failure.ErrorCode;
            errors.Add(new FieldError(pointer, code, $"{pointer}: {failure.ErrorMessage}"));
        }
        if (result.Errors[0].CustomState is not ConditionFault first)
        {
            return Problem.Fields(errors);
        }
        var detail = errors.Count == 1 ? errors[0].Detail : $"{errors[0].Detail} ({errors.Count - 1} more in errors)";
        return new Problem(ProblemCodes.InvalidCondition, detail, errors) { Extensions = Position(first) };
    }

    /// <summary><c>Criteria[2].When</c> → <c>/criteria/2/when</c></summary>
    public static string Pointer(string propertyPath)
    {
        var text = new StringBuilder(propertyPath.Length + 8);
        foreach (var segment in propertyPath.Split('.', '['))
        {
            if (segment.Length > 0)
            {
                text.Append('/').Append(segment[^1] == ']' ? segment[..^1] : JsonNamingPolicy.SnakeCaseLower.ConvertName(segment));
            }
        }
        return text.ToString();
    }

    private static Dictionary<string, object?> Position(ConditionFault fault) => new()
    {
        ["condition_code"] = fault.Code,
        ["start"] = fault.Start,
        ["end"] = fault.End,
        ["line"] = fault.Line,
        ["column"] = fault.Column,
        ["snippet"] = fault.Snippet,
        ["hint"] = fault.Hint,
        ["expected"] = fault.Expected,
    };
}
