namespace SignalHub.Conditions;

/// <summary>
/// Recursive descent over the grammar of docs/conditions.md. Total: every method returns null after recording an error, and depth
/// is checked before each recursion, so no text can exhaust the stack. A wrong root is recorded and parsing goes on, so that all
/// of them are reported at once; everything else ends the parse.
/// </summary>
internal sealed partial class Parser
{
    private static readonly string[] _operand = ["literal", "path", "function", "(", "["];
    private static readonly string[] _continuation = ["&&", "||", "==", "!=", "<", "<=", ">", ">=", "in", "not in"];
    private static readonly string[] _literal = ["string", "number", "true", "false", "null"];

    private readonly Source _source;
    private readonly Lexer _lexer;
    private readonly Roots _allowed;
    private readonly List<ConditionError> _errors = [];
    private readonly List<PathNode> _paths = [];
    private readonly List<string> _variables = [];
    private Token _token;
    private int _previousEnd;
    private int _depth;
    private int _nodes;

    private Parser(Source source, Roots allowed)
    {
        _source = source;
        _lexer = new Lexer(source);
        _allowed = RootNames.Effective(allowed);
        _token = _lexer.Next();
    }

    /// <summary>Parses a whole condition. The node is null exactly when there are errors; the paths are in the order of the text.</summary>
    public static (Node? Node, List<PathNode> Paths, List<ConditionError> Errors) ParseCondition(Source source, Roots allowed)
    {
        if (TooLong(source) is { } tooLong)
        {
            return (null, [], [tooLong]);
        }
        var parser = new Parser(source, allowed);
        var node = parser.ParseOr();
        if (node is not null && parser._token.Kind != TokenKind.End)
        {
            parser.UnexpectedAfterExpression(_continuation);
        }
        return (parser._errors.Count == 0 ? node : null, parser._paths, parser._errors);
    }

    /// <summary>Parses a text that is one path and nothing else.</summary>
    public static (PathNode? Path, List<ConditionError> Errors) ParsePath(Source source, Roots allowed)
    {
        if (TooLong(source) is { } tooLong)
        {
            return (null, [tooLong]);
        }
        var parser = new Parser(source, allowed);
        var path = parser.ParseBarePath("A field is a path");
        if (path is { Steps.Count: 0 } && parser._errors.Count == 0)
        {
            parser.NeedsField(path);
        }
        else if (path is not null && parser._token.Kind != TokenKind.End)
        {
            parser.Fail(ConditionErrorCodes.UnexpectedToken, $"A field is a single path; {parser.Shown()} cannot follow it.", null,
                "end of the path");
        }
        return (parser._errors.Count == 0 ? path : null, parser._errors);
    }

    private static ConditionError? TooLong(Source source) => source.Text.Length <= ConditionLimits.Characters ? null
        : source.Error(
            ConditionErrorCodes.TooLong,
            $"The text has {source.Text.Length} characters; at most {ConditionLimits.Characters} are allowed.",
            ConditionLimits.Characters, source.Text.Length, "use a list (x in ['a', 'b']) in place of many comparisons");

    private Node? ParseOr()
    {
        var first = ParseAnd();
        if (first is null || _token.Kind != TokenKind.Or)
        {
            return first;
        }
        var items = new List<Node> { first };
        while (_token.Kind == TokenKind.Or)
        {
            if (!CountNode(_token) || !Advance() || ParseAnd() is not { } next)
            {
                return null;
            }
            items.Add(next);
        }
        return new OrNode(items, first.Start, _previousEnd);
    }

    private Node? ParseAnd()
    {
        var first = ParseUnary();
        if (first is null || _token.Kind != TokenKind.And)
        {
            return first;
        }
        var items = new List<Node> { first };
        while (_token.Kind == TokenKind.And)
        {
            if (!CountNode(_token) || !Advance() || ParseUnary() is not { } next)
            {
                return null;
            }
            items.Add(next);
        }
        return new AndNode(items, first.Start, _previousEnd);
    }

    private Node? ParseUnary()
    {
        if (_token.Kind != TokenKind.Not)
        {
            return ParseRelation();
        }
        var not = _token;
        if (!Enter(not) || !CountNode(not) || !Advance() || ParseUnary() is not { } operand)
        {
            return null;
        }
        _depth--;
        return new NotNode(operand, not.Start, _previousEnd);
    }

    private Node? ParseRelation()
    {
        var left = ParseOperand();
        if (left is null || !AtRelation())
        {
            return left;
        }
        var sign = _token;
        if (ParseSign() is not { } relation || !CountNode(sign) || ParseOperand() is not { } right)
        {
            return null;
        }
        if (!AtRelation())
        {
            return new RelationNode(relation, left, right, left.Start, _previousEnd);
        }
        return _token.Kind == TokenKind.SingleEquals
            ? SingleEquals()
            : Fail(ConditionErrorCodes.UnexpectedToken, "Comparisons cannot be chained.", "write a < b && b < c", "&&", "||");
    }

    private bool AtRelation() => _token.IsRelation || _token.Kind is TokenKind.SingleEquals or TokenKind.Not;

    /// <summary>Consumes a relation sign, which may be the two words <c>not in</c>.</summary>
    private Relation? ParseSign()
    {
        if (_token.Kind == TokenKind.SingleEquals)
        {
            SingleEquals();
            return null;
        }
        var kind = _token.Kind;
        if (!Advance())
        {
            return null;
        }
        if (kind != TokenKind.Not)
        {
            return kind switch
            {
                TokenKind.Equal => Relation.Equal,
                TokenKind.NotEqual => Relation.NotEqual,
                TokenKind.Less => Relation.Less,
                TokenKind.LessOrEqual => Relation.LessOrEqual,
                TokenKind.Greater => Relation.Greater,
                TokenKind.GreaterOrEqual => Relation.GreaterOrEqual,
                _ => Relation.In,
            };
        }
        if (_token.Kind != TokenKind.In)
        {
            Fail(ConditionErrorCodes.UnexpectedToken, $"After a value, `not` must be followed by `in`, not by {Shown()}.",
                "write != for \"is not\", or put not before the whole comparison", "in");
            return null;
        }
        return Advance() ? Relation.NotIn : null;
    }

    private Node? SingleEquals()
    {
        var next = _token.End < _source.Text.Length ? _source.Text[_token.End] : ' ';
        var sign = next is '<' or '>' ? $"{next}=" : "==";
        return Fail(ConditionErrorCodes.SingleEquals, "A single = compares nothing; equality is written ==.", $"use {sign}", "==");
    }

    private Node? ParseOperand()
    {
        var token = _token;
        switch (token.Kind)
        {
            case TokenKind.LeftParen:
                return ParseParenthesis();
            case TokenKind.LeftBracket:
                return ParseList(onlyStrings: false);
            case TokenKind.Name:
                return ParseNamed();
            case TokenKind.String or TokenKind.Number or TokenKind.True or TokenKind.False or TokenKind.Null:
                return CountNode(token) && Advance() ? Literal(token) : null;
            case TokenKind.Duration:
                return Fail(ConditionErrorCodes.BadNumber, $"The duration {token.Text} can only stand inside ago() and within().",
                    $"write ago({token.Text}) for that long ago");
            default:
                return ExpectedOperand();
        }
    }

    private static LiteralNode Literal(Token token) => new(
        token.Kind switch
        {
            TokenKind.String => ConditionValue.Of(token.Text),
            TokenKind.Number => ConditionValue.OfNumberText(token.Text),
            TokenKind.True => ConditionValue.Of(true),
            TokenKind.False => ConditionValue.Of(false),
            _ => ConditionValue.Null,
        },
        token.Start,
        token.End);

    private Node? ParseParenthesis()
    {
        var open = _token;
        if (!Enter(open) || !Advance() || ParseOr() is not { } inner || !Close(open, _continuation))
        {
            return null;
        }
        _depth--;
        return inner;
    }

    private ListNode? ParseList(bool onlyStrings)
    {
        var open = _token;
        var expected = onlyStrings ? ["string"] : _literal;
        var items = new List<LiteralNode>();
        if (!CountNode(open) || !Advance())
        {
            return null;
        }
        while (_token.Kind != TokenKind.RightBracket || items.Count > 0)
        {
            if (ParseListItem(open, onlyStrings, expected, items.Count) is not { } item)
            {
                return null;
            }
            items.Add(item);
            if (_token.Kind == TokenKind.RightBracket)
            {
                break;
            }
            if (_token.Kind != TokenKind.Comma)
            {
                FailUnclosed(open, ConditionErrorCodes.UnclosedList, $"List items are separated by commas; {Shown()} is in the way.", ",", "]");
                return null;
            }
            if (!Advance())
            {
                return null;
            }
        }
        return Advance() ? new ListNode(items, open.Start, _previousEnd) : null;
    }

    private LiteralNode? ParseListItem(Token open, bool onlyStrings, string[] expected, int index)
    {
        var token = _token;
        if (index == ConditionLimits.ListItems)
        {
            Fail(ConditionErrorCodes.TooComplex, $"A list has at most {ConditionLimits.ListItems} items.", null);
            return null;
        }
        if (token.Kind == TokenKind.String
            || (!onlyStrings && token.Kind is TokenKind.Number or TokenKind.True or TokenKind.False or TokenKind.Null))
        {
            return Advance() ? Literal(token) : null;
        }
        if (token.Kind == TokenKind.End)
        {
            FailUnclosed(open, ConditionErrorCodes.UnclosedList, "", "]");
        }
        else if (token.Kind == TokenKind.Duration)
        {
            Fail(ConditionErrorCodes.BadNumber, $"The duration {token.Text} can only stand inside ago() and within().", null, expected);
        }
        else if (token.Kind is TokenKind.Comma or TokenKind.RightBracket)
        {
            Fail(ConditionErrorCodes.ExpectedOperand, $"A list item is missing before {Shown()}.", null, expected);
        }
        else
        {
            var what = onlyStrings ? "text in quotes" : "literals";
            Fail(ConditionErrorCodes.UnexpectedToken, $"A list holds only {what}, not {Shown()}.",
                token.Kind == TokenKind.Name ? $"put text in quotes: '{token.Text}'" : null, expected);
        }
        return null;
    }
}
