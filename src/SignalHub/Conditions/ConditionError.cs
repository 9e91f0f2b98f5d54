namespace SignalHub.Conditions;

/// <summary>One thing wrong with the text of a condition, or (as a warning) probably wrong.</summary>
/// <param name="Code">A word from <see cref="ConditionErrorCodes"/>.</param>
/// <param name="Detail">A sentence that alone tells the writer what to change.</param>
/// <param name="Start">First UTF-16 offset of the culprit, from 0.</param>
/// <param name="End">Offset behind the culprit; equal to <paramref name="Start"/> where something is absent.</param>
/// <param name="Line">Line of <paramref name="Start"/>, from 1.</param>
/// <param name="Column">UTF-16 column of <paramref name="Start"/> in its line, from 1.</param>
/// <param name="Snippet">The line (at most 80 characters of it) and below it carets under the culprit.</param>
/// <param name="Hint">What was probably meant, where there is a good guess.</param>
/// <param name="Expected">What could have stood there; may be empty.</param>
public sealed record ConditionError(
    string Code,
    string Detail,
    int Start,
    int End,
    int Line,
    int Column,
    string Snippet,
    string? Hint,
    IReadOnlyList<string> Expected);

/// <summary>The stable words of <see cref="ConditionError.Code"/>.</summary>
public static class ConditionErrorCodes
{
    public const string ExpectedOperand = "expected_operand";
    public const string ExpectedName = "expected_name";
    public const string UnexpectedToken = "unexpected_token";
    public const string UnexpectedCharacter = "unexpected_character";
    public const string UnclosedParen = "unclosed_paren";
    public const string UnclosedList = "unclosed_list";
    public const string UnterminatedString = "unterminated_string";
    public const string BadNumber = "bad_number";
    public const string SingleEquals = "single_equals";
    public const string UnknownRoot = "unknown_root";
    public const string UnknownFunction = "unknown_function";
    public const string TooLong = "too_long";
    public const string TooDeep = "too_deep";
    public const string TooComplex = "too_complex";

    /// <summary>Warning: the root has no such field.</summary>
    public const string UnknownField = "unknown_field";

    /// <summary>Warning: these two can never be compared, so the result is always unknown and never matches.</summary>
    public const string TypeMismatch = "type_mismatch";

    /// <summary>Every code, errors first, then the two warnings.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        ExpectedOperand, ExpectedName, UnexpectedToken, UnexpectedCharacter, UnclosedParen, UnclosedList, UnterminatedString,
        BadNumber, SingleEquals, UnknownRoot, UnknownFunction, TooLong, TooDeep, TooComplex, UnknownField, TypeMismatch,
    ];
}

/// <summary>How large a condition may be. Generous for people, small enough that no text can cost noticeable time or stack.</summary>
public static class ConditionLimits
{
    /// <summary>UTF-16 units of the text.</summary>
    public const int Characters = 4_096;

    /// <summary>Parentheses, negations and calls inside one another; also the steps of one path.</summary>
    public const int Depth = 32;

    /// <summary>Operators, calls, paths and literals of one condition; a list counts as one.</summary>
    public const int Nodes = 200;

    /// <summary>Literals in one list.</summary>
    public const int ListItems = 200;

    /// <summary>Quantifiers inside one another: each level multiplies the work by the number of signals.</summary>
    public const int Quantifiers = 2;

    /// <summary>The longest duration, 100 years: far enough back for any signal, and date arithmetic cannot overflow.</summary>
    public const int DurationDays = 36_525;
}
