namespace SignalHub.Conditions;

/// <summary>Moving on, limits, and saying what is wrong.</summary>
internal sealed partial class Parser
{
    /// <summary>Goes to the next token; false if it is not one, with the lexer's error recorded.</summary>
    private bool Advance()
    {
        _previousEnd = _token.End;
        _token = _lexer.Next();
        return !LexerFailed();
    }

    private bool LexerFailed()
    {
        if (_lexer.Error is not { } error)
        {
            return false;
        }
        if (!_errors.Contains(error))
        {
            _errors.Add(error);
        }
        return true;
    }

    private bool Enter(Token at)
    {
        if (++_depth <= ConditionLimits.Depth)
        {
            return true;
        }
        Fail(at, ConditionErrorCodes.TooDeep, $"Parentheses, negations and calls nest at most {ConditionLimits.Depth} deep.", "split the condition");
        return false;
    }

    private bool CountNode(Token at)
    {
        if (++_nodes <= ConditionLimits.Nodes)
        {
            return true;
        }
        Fail(at, ConditionErrorCodes.TooComplex, $"A condition has at most {ConditionLimits.Nodes} operators, paths, literals and calls.",
            "use a list (x in ['a', 'b']) in place of many comparisons");
        return false;
    }

    /// <summary>Consumes the closing parenthesis of <paramref name="open"/>.</summary>
    private bool Close(Token open, params string[] alternatives)
    {
        if (_token.Kind == TokenKind.RightParen)
        {
            return Advance();
        }
        if (_token.Kind == TokenKind.End)
        {
            FailUnclosed(open, ConditionErrorCodes.UnclosedParen, "", ")");
        }
        else
        {
            UnexpectedAfterExpression([")", .. alternatives]);
        }
        return false;
    }

    private Node? Fail(string code, string detail, string? hint, params string[] expected) => Fail(_token, code, detail, hint, expected);

    private Node? Fail(Token at, string code, string detail, string? hint, params string[] expected)
    {
        // The lexer's own complaint about this place says more than "unexpected".
        if (!LexerFailed())
        {
            _errors.Add(_source.Error(code, detail, at.Start, at.End, hint, expected));
        }
        return null;
    }

    /// <summary>Something is not closed: at the end of the text the culprit is the bracket that was opened, before it the token in the way.</summary>
    private void FailUnclosed(Token open, string unclosedCode, string detail, params string[] expected)
    {
        var close = expected[^1];
        if (_token.Kind == TokenKind.End)
        {
            Fail(open, unclosedCode, $"The {_source.Text[open.Start..open.End]} that opens here is never closed.", $"add {close}", expected);
        }
        else
        {
            Fail(ConditionErrorCodes.UnexpectedToken, detail, null, expected);
        }
    }

    private Node? ExpectedOperand()
    {
        var text = _token.Kind == TokenKind.End
            ? "The condition ends where a value is expected."
            : $"A value is expected here, not {Shown()}.";
        var hint = _token.Kind switch
        {
            TokenKind.Not => "put the negation in parentheses: a == (not b)",
            TokenKind.Greater when _token.Start > 0 && _source.Text[_token.Start - 1] == '<' => "use != for \"is not\"",
            TokenKind.SingleEquals => "equality is written ==",
            _ => null,
        };
        return Fail(ConditionErrorCodes.ExpectedOperand, text, hint, _operand);
    }

    private void UnexpectedAfterExpression(string[] expected)
    {
        var hint = _token switch
        {
            { Kind: TokenKind.Name, Text: var word } when word!.ToLowerInvariant() is "and" or "or" or "not" or "in" =>
                $"write {word.ToLowerInvariant()}",
            { Kind: TokenKind.Name } => "join conditions with && or ||; put text with spaces in quotes",
            { Kind: TokenKind.Number, Text: ['-', ..] } => "conditions have no arithmetic",
            { Kind: TokenKind.RightParen } => "this ) closes nothing",
            { Kind: TokenKind.Dot } => "only paths have fields and methods",
            _ => null,
        };
        Fail(ConditionErrorCodes.UnexpectedToken, $"{Shown()} cannot stand here.", hint, expected);
    }

    private void NeedsField(PathNode path)
    {
        var name = _source.Text[path.Start..path.End];
        var hint = path.Root == Roots.Signals
            ? "write signals.source, or signals.count(s, true) for their number"
            : $"write a field of it, as in {name}.{ExampleField(path)}";
        var detail = $"`{name}` is not a value; name one of its fields.";
        _errors.Add(_source.Error(ConditionErrorCodes.ExpectedName, detail, path.Start, path.End, hint, "."));
    }

    private static string ExampleField(PathNode path) => path switch
    {
        { IsSignal: true } => "source",
        { Root: Roots.Lead } => "icp_score",
        { Root: Roots.Person } => "title",
        { Root: Roots.Company } => "domain",
        _ => "score",
    };

    /// <summary>A name that is no root here: misspelt, not allowed in this scope, or text without quotes.</summary>
    private void UnknownRoot(Token name)
    {
        var word = name.Text!;
        var allowed = RootNames.In(_allowed);
        var alone = _token.Kind is not (TokenKind.Dot or TokenKind.LeftBracket);
        var signal = (_allowed & Roots.Signal) != 0 ? "signal" : "signals";
        var exists = RootNames.Find(word) != Roots.None;
        var detail = exists
            ? $"`{word}` cannot be used here; what can: {string.Join(", ", allowed)}."
            : $"`{word}` is not known; a path begins with {string.Join(", ", allowed)}.";
        var hint = word switch
        {
            "signal" when (_allowed & Roots.Signals) != 0 => "write signals",
            _ when exists => null,
            _ when word.ToLowerInvariant() is "true" or "false" or "null" or "not" => $"write {word.ToLowerInvariant()}",
            _ when NearestName.Find(word, [.. allowed, .. _variables]) is { } near => $"did you mean {near}?",
            _ when KnownFields.IsSignalField(word) && (_allowed & Roots.Signals) != 0 => $"did you mean {signal}.{word}?",
            _ when alone => $"put text in quotes: '{word}'",
            _ => null,
        };
        _errors.Add(_source.Error(ConditionErrorCodes.UnknownRoot, detail, name.Start, name.End, hint, allowed));
    }

    /// <summary>The current token as messages show it.</summary>
    private string Shown()
    {
        if (_token.Kind == TokenKind.End)
        {
            return "the end";
        }
        const int longest = 24;
        var text = _source.Text[_token.Start.._token.End];
        return text.Length <= longest ? $"`{text}`" : $"`{text[..longest]}…`";
    }
}
