using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using SignalHub.Http;

namespace SignalHub.Leads;

/// <summary>What is known of a company. Only what is given changes.</summary>
/// <param name="Name">At most 500 characters; blank or absent: unchanged.</param>
/// <param name="Attributes">
/// Facts by name (<c>^[a-z][a-z0-9_]{0,62}$</c>), each a text, number, boolean or a list of these, at most 4 KB; null removes it.
/// Conditions read them as <c>company.&lt;name&gt;</c>. A company has at most 100.
/// </param>
public sealed partial record AccountBody(string? Name, IReadOnlyDictionary<string, JsonElement>? Attributes)
{
    public const int MaxNameLength = 500;
    public const int MaxAttributes = 100;
    public const int MaxValueBytes = 4 * 1024;

    // Conditions read these from the account itself; a fact of that name would never be seen.
    private static readonly string[] _ownFields = ["domain", "name"];

    /// <summary>Everything that is wrong with it, in the order of the fields.</summary>
    public IReadOnlyList<FieldError> Check()
    {
        var errors = new List<FieldError>();
        if (Name?.Trim().Length > MaxNameLength)
        {
            errors.Add(Error(ProblemCodes.TooLong, "/name", $"is longer than {MaxNameLength} characters"));
        }
        if (Attributes?.Count > MaxAttributes)
        {
            errors.Add(TooMany);
        }
        foreach (var (name, value) in Attributes ?? new Dictionary<string, JsonElement>())
        {
            if ((CheckName(name) ?? CheckValue(name, value)) is { } wrong)
            {
                errors.Add(wrong);
            }
        }
        return errors;
    }

    internal static FieldError TooMany =>
        Error(ProblemCodes.OutOfRange, "/attributes", $"makes more than {MaxAttributes} attributes of the company: remove some (send them as null)");

    private static FieldError? CheckName(string name)
    {
        if (!AttributeName().IsMatch(name))
        {
            return Error(ProblemCodes.InvalidValue, PointerOf(name),
                "is not a name for an attribute: lower-case letters, digits and _, a letter first, at most 63 characters");
        }
        var instead = name == "name" ? "send it as /name" : "it is the domain in the path";
        return _ownFields.Contains(name) ? Error(ProblemCodes.InvalidValue, PointerOf(name), $"is a field of the company itself: {instead}") : null;
    }

    private static FieldError? CheckValue(string name, JsonElement value)
    {
        var isList = value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(IsScalar);
        if (!IsScalar(value) && !isList && value.ValueKind != JsonValueKind.Null)
        {
            return Error(ProblemCodes.InvalidType, PointerOf(name), "must be a text, a number, a boolean, or a list of these");
        }
        return Encoding.UTF8.GetByteCount(value.GetRawText()) > MaxValueBytes
            ? Error(ProblemCodes.TooLong, PointerOf(name), $"is larger than {MaxValueBytes / 1024} KB")
            : null;
    }

    private static bool IsScalar(JsonElement value) =>
        value.ValueKind is JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False;

    private static string PointerOf(string name) => $"/attributes/{JsonGate.Escape(name.Length > 100 ? name[..100] : name)}";

    private static FieldError Error(ProblemCode code, string pointer, string what) => new(pointer, code.Code, $"{pointer} {what}.");

    [GeneratedRegex("^[a-z][a-z0-9_]{0,62}\\z")]
    private static partial Regex AttributeName();
}
