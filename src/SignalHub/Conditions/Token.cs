namespace SignalHub.Conditions;

internal enum TokenKind
{
    End,
    Error,
    Name,
    String,
    Number,
    Duration,
    True,
    False,
    Null,
    And,
    Or,
    Not,
    In,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    SingleEquals,
    Dot,
    Comma,
    LeftParen,
    RightParen,
    LeftBracket,
    RightBracket,
}

/// <summary>
/// One token. <c>Text</c> is the word of a name or keyword, the decoded string or the number as written, and null for signs;
/// <c>Ticks</c> is the length of a duration in 100 ns.
/// </summary>
internal readonly record struct Token(TokenKind Kind, int Start, int End, string? Text = null, long Ticks = 0)
{
    /// <summary>Behind a dot every word is a name, also <c>in</c> and <c>not</c>.</summary>
    public bool IsWord => Text is not null && Kind is not (TokenKind.String or TokenKind.Number or TokenKind.Duration);

    public bool IsRelation => Kind is TokenKind.Equal or TokenKind.NotEqual or TokenKind.Less or TokenKind.LessOrEqual
        or TokenKind.Greater or TokenKind.GreaterOrEqual or TokenKind.In;
}
