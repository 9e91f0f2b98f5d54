namespace SignalHub.Conditions;

/// <summary>Paths, functions and methods.</summary>
internal sealed partial class Parser
{
    private static readonly string[] _functions = ["has", "lower", "size", "glob", "ago", "now", "title_matches"];
    private static readonly string[] _methods = ["contains", "startsWith", "endsWith", "any", "all", "count", "within"];

    /// <summary>A word in the place of a value: a function if a parenthesis follows, else a path.</summary>
    private Node? ParseNamed()
    {
        var name = _token;
        if (!Advance())
        {
            return null;
        }
        if (_token.Kind == TokenKind.LeftParen)
        {
            return ParseFunction(name);
        }
        var path = ParseSteps(name, out var method);
        if (path is null)
        {
            return null;
        }
        if (method is { } called)
        {
            return ParseMethod(path, called);
        }
        if (path.Steps.Count == 0 && _errors.Count == 0)
        {
            NeedsField(path);
        }
        return CountNode(name) ? Remember(path) : null;
    }

    private PathNode Remember(PathNode path)
    {
        _paths.Add(path);
        return path;
    }

    /// <summary>A path where only a path can stand; it may be a root alone.</summary>
    private PathNode? ParseBarePath(string detail)
    {
        var name = _token;
        if (name.Kind != TokenKind.Name)
        {
            Fail(ConditionErrorCodes.ExpectedName, $"{detail}, not {Shown()}.", null, RootNames.In(_allowed));
            return null;
        }
        if (!Advance() || ParseSteps(name, out var method) is not { } path)
        {
            return null;
        }
        if (method is { } called)
        {
            Fail(called, ConditionErrorCodes.UnexpectedToken, $"{detail}, without a method.", null);
            return null;
        }
        return path;
    }

    /// <summary>
    /// The steps behind a root or variable. A last step followed by a parenthesis is a method's name and comes back as
    /// <paramref name="method"/>, with the parenthesis as the current token.
    /// </summary>
    private PathNode? ParseSteps(Token root, out Token? method)
    {
        method = null;
        var slot = _variables.LastIndexOf(root.Text!);
        var found = slot >= 0 ? Roots.None : RootNames.Find(root.Text!) & _allowed;
        if (slot < 0 && found == Roots.None)
        {
            UnknownRoot(root);
        }
        var steps = new List<PathStep>();
        while (_token.Kind is TokenKind.Dot or TokenKind.LeftBracket)
        {
            var end = _previousEnd;
            if (steps.Count == ConditionLimits.Depth)
            {
                Fail(ConditionErrorCodes.TooDeep, $"A path has at most {ConditionLimits.Depth} steps.", null);
                return null;
            }
            var step = _token.Kind == TokenKind.Dot ? ParseMember() : ParseIndex(isFirst: steps.Count == 0);
            if (step is null)
            {
                return null;
            }
            if (_token.Kind == TokenKind.LeftParen && _source.Text[step.Start] is not ('\'' or '"') && step.Name is not null)
            {
                method = new Token(TokenKind.Name, step.Start, step.End, step.Name);
                return new PathNode(found, slot, steps, root.Start, end);
            }
            var isAlias = steps.Count == 0 && step.Name == KnownFields.ContextAlias && (slot >= 0 || found is Roots.Signal or Roots.Signals);
            steps.Add(isAlias ? step with { Name = KnownFields.Context } : step);
        }
        return new PathNode(found, slot, steps, root.Start, _previousEnd);
    }

    private PathStep? ParseMember()
    {
        if (!Advance())
        {
            return null;
        }
        var name = _token;
        if (!name.IsWord)
        {
            Fail(ConditionErrorCodes.ExpectedName, $"A field name is expected after the dot, not {Shown()}.",
                name.Kind == TokenKind.End ? null : "names with spaces or signs are written [\"like this\"]", "name");
            return null;
        }
        return Advance() ? new PathStep(name.Text, 0, name.Start, name.End) : null;
    }

    private PathStep? ParseIndex(bool isFirst)
    {
        var open = _token;
        if (!Advance())
        {
            return null;
        }
        var inner = _token;
        PathStep step;
        if (inner.Kind == TokenKind.String)
        {
            step = new PathStep(inner.Text, 0, inner.Start, inner.End);
        }
        else if (inner.Kind == TokenKind.Number && !isFirst)
        {
            if (!uint.TryParse(inner.Text, System.Globalization.NumberStyles.None, null, out var index) || index > int.MaxValue)
            {
                Fail(ConditionErrorCodes.BadNumber, "An index is a whole number from 0.", null, "string", "integer");
                return null;
            }
            step = new PathStep(null, (int)index, inner.Start, inner.End);
        }
        else if (inner.Kind == TokenKind.End)
        {
            FailUnclosed(open, ConditionErrorCodes.UnclosedList, "", "]");
            return null;
        }
        else
        {
            Fail(ConditionErrorCodes.ExpectedName, $"A name in quotes{(isFirst ? "" : " or an index")} is expected in the brackets, not {Shown()}.",
                inner.Kind == TokenKind.Name ? $"write [\"{inner.Text}\"]" : null, isFirst ? ["string"] : ["string", "integer"]);
            return null;
        }
        if (!Advance())
        {
            return null;
        }
        if (_token.Kind == TokenKind.RightBracket)
        {
            return Advance() ? step : null;
        }
        FailUnclosed(open, ConditionErrorCodes.UnclosedList, $"The bracket must be closed before {Shown()}.", "]");
        return null;
    }

    private Node? ParseFunction(Token name)
    {
        if (Array.IndexOf(_functions, name.Text) < 0)
        {
            var near = NearestName.Find(name.Text!, _functions);
            return Fail(name, ConditionErrorCodes.UnknownFunction, $"There is no function `{name.Text}`; there are {string.Join(", ", _functions)}.",
                near is null ? null : $"did you mean {near}?", _functions);
        }
        var open = _token;
        if (!Enter(open) || !CountNode(name) || !Advance())
        {
            return null;
        }
        Node? call = name.Text switch
        {
            "has" => ParseBarePath("has() takes a path") is { } path ? Call(Function.Has, open, name.Start, Remember(path)) : null,
            "lower" => ParseOr() is { } text ? Call(Function.Lower, open, name.Start, text) : null,
            "size" => ParseOr() is { } value ? Call(Function.Size, open, name.Start, value) : null,
            "now" => Call(Function.Now, open, name.Start),
            "ago" => ParseDuration() is { } ticks && Close(open) ? new AgoNode(ticks, name.Start, _previousEnd) : null,
            "glob" => ParseOr() is { } text && Comma("a pattern such as 'vp *'") && ParsePattern() is { } pattern
                ? Call(Function.Glob, open, name.Start, text, pattern) : null,
            _ => ParseOr() is { } title && Comma("a list such as ['vp sales', 'cto']") && ParseTitles() is { } titles
                ? Call(Function.TitleMatches, open, name.Start, title, titles) : null,
        };
        _depth--;
        return call;
    }

    private CallNode? Call(Function function, Token open, int start, params Node[] arguments) =>
        Close(open) ? new CallNode(function, arguments, start, _previousEnd) : null;

    private bool Comma(string what)
    {
        if (_token.Kind == TokenKind.Comma)
        {
            return Advance();
        }
        var code = _token.Kind is TokenKind.RightParen or TokenKind.End ? ConditionErrorCodes.ExpectedOperand : ConditionErrorCodes.UnexpectedToken;
        Fail(code, $"A comma and {what} are expected, not {Shown()}.", null, ",");
        return false;
    }

    private LiteralNode? ParsePattern()
    {
        var token = _token;
        if (token.Kind == TokenKind.String)
        {
            return CountNode(token) && Advance() ? Literal(token) : null;
        }
        Fail(ConditionErrorCodes.ExpectedOperand, $"The pattern of glob() is text in quotes, not {Shown()}.", null, "string");
        return null;
    }

    private ListNode? ParseTitles()
    {
        if (_token.Kind == TokenKind.LeftBracket)
        {
            return ParseList(onlyStrings: true);
        }
        Fail(ConditionErrorCodes.ExpectedOperand, $"title_matches() takes a list of titles, not {Shown()}.",
            _token.Kind == TokenKind.String ? $"write [{_source.Text[_token.Start.._token.End]}]" : null, "[");
        return null;
    }

    private long? ParseDuration()
    {
        var token = _token;
        if (token.Kind == TokenKind.Duration)
        {
            return Advance() ? token.Ticks : null;
        }
        if (token.Kind == TokenKind.Number)
        {
            Fail(ConditionErrorCodes.BadNumber, $"A duration is a whole number with its unit (m, h, d or w), not {Shown()}.",
                $"write {token.Text!.TrimStart('-')}d for days", "duration");
        }
        else
        {
            Fail(ConditionErrorCodes.ExpectedOperand, $"A duration such as 30m, 12h, 14d or 2w is expected, not {Shown()}.", null, "duration");
        }
        return null;
    }

    private Node? ParseMethod(PathNode path, Token name)
    {
        var onSignals = path is { Root: Roots.Signals, Steps.Count: 0 };
        var method = name.Text!;
        var reason = method switch
        {
            "contains" or "startsWith" or "endsWith" => null,
            "any" or "all" or "count" => onSignals ? null : $".{method}() is asked of `signals` alone.",
            "within" => path is { IsSignal: true, Steps.Count: 0 } ? null : ".within() is asked of `signals` or one signal.",
            _ => $"There is no method `{method}`; there are {string.Join(", ", _methods)}.",
        };
        if (_errors.Count == 0 && reason is not null)
        {
            var near = NearestName.Find(method, _methods);
            return Fail(name, ConditionErrorCodes.UnknownFunction, reason,
                near is null ? null : near == method ? $"write signals.{method}(…)" : $"did you mean {near}?", _methods);
        }
        var open = _token;
        if (!Enter(open) || !CountNode(name) || !Advance())
        {
            return null;
        }
        Node? call = method switch
        {
            "any" => ParseQuantifier(Quantifier.Any, path, open),
            "all" => ParseQuantifier(Quantifier.All, path, open),
            "count" => ParseQuantifier(Quantifier.Count, path, open),
            "within" => ParseDuration() is { } ticks && Close(open) ? new WithinNode(path, ticks, path.Start, _previousEnd) : null,
            "contains" => ParseTextMethod(Function.Contains, path, open),
            "startsWith" => ParseTextMethod(Function.StartsWith, path, open),
            "endsWith" => ParseTextMethod(Function.EndsWith, path, open),
            // Only behind an unknown root, which is already reported and makes the condition invalid.
            _ => null,
        };
        _depth--;
        return call;
    }

    private CallNode? ParseTextMethod(Function function, PathNode path, Token open)
    {
        if (path.Steps.Count == 0 && _errors.Count == 0)
        {
            NeedsField(path);
        }
        return CountNode(open) && ParseOr() is { } argument ? Call(function, open, path.Start, Remember(path), argument) : null;
    }

    private QuantifierNode? ParseQuantifier(Quantifier quantifier, PathNode path, Token open)
    {
        var variable = _token;
        if (_variables.Count == ConditionLimits.Quantifiers)
        {
            Fail(open, ConditionErrorCodes.TooDeep, $"Quantifiers nest at most {ConditionLimits.Quantifiers} deep.", null);
            return null;
        }
        if (variable.Kind != TokenKind.Name || RootNames.Find(variable.Text!) != Roots.None || Array.IndexOf(_functions, variable.Text) >= 0)
        {
            Fail(ConditionErrorCodes.ExpectedName, $"A name for the signal is expected here, not {Shown()}.",
                "write it like signals.any(s, s.source == 'web')", "name");
            return null;
        }
        if (!Advance() || !Comma("a condition about each signal"))
        {
            return null;
        }
        _variables.Add(variable.Text!);
        var body = ParseOr();
        _variables.RemoveAt(_variables.Count - 1);
        return body is not null && Close(open, _continuation)
            ? new QuantifierNode(quantifier, _variables.Count, body, path.Start, _previousEnd)
            : null;
    }
}
