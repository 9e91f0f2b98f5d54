namespace SignalHub.Conditions;

/// <summary>
/// Finds what is valid but probably wrong: fields that no root has, and comparisons that can never be anything but unknown.
/// Warnings only, because attributes and context are whatever a workspace sends.
/// </summary>
internal sealed class Checker
{
    private readonly Source _source;
    private readonly List<ConditionError> _warnings = [];

    private Checker(Source source) => _source = source;

    public static IReadOnlyList<ConditionError> Check(Source source, Node node)
    {
        var checker = new Checker(source);
        checker.Test(node);
        return checker.Result();
    }

    public static IReadOnlyList<ConditionError> CheckPath(Source source, PathNode path)
    {
        var checker = new Checker(source);
        checker.TypesOf(path);
        return checker.Result();
    }

    private List<ConditionError> Result() => _warnings;

    private void Test(Node node)
    {
        if ((TypesOf(node) & ValueTypes.Boolean) == 0)
        {
            Mismatch(
                node,
                $"`{Excerpt(node)}` is neither true nor false, so this never matches.",
                "compare it with something, as in x == 5");
        }
    }

    private ValueTypes TypesOf(Node node)
    {
        switch (node)
        {
            case LiteralNode literal:
                return TypesOf(literal.Value);
            case ListNode:
                return ValueTypes.List;
            case PathNode path:
                return TypesOf(path);
            case NotNode not:
                Test(not.Operand);
                return ValueTypes.Boolean;
            case AndNode and:
                TestAll(and.Items);
                return ValueTypes.Boolean;
            case OrNode or:
                TestAll(or.Items);
                return ValueTypes.Boolean;
            case RelationNode relation:
                CheckRelation(relation);
                return ValueTypes.Boolean;
            case QuantifierNode quantifier:
                Test(quantifier.Body);
                return quantifier.Quantifier == Quantifier.Count ? ValueTypes.Number : ValueTypes.Boolean;
            case CallNode call:
                return TypesOf(call);
            case AgoNode:
                return ValueTypes.Instant;
            default:
                return ValueTypes.Boolean;
        }
    }

    private void TestAll(IReadOnlyList<Node> nodes)
    {
        foreach (var node in nodes)
        {
            Test(node);
        }
    }

    private static ValueTypes TypesOf(in ConditionValue literal) => literal.Kind switch
    {
        ConditionValueKind.Boolean => ValueTypes.Boolean,
        ConditionValueKind.Null => ValueTypes.Null,
        ConditionValueKind.String => Comparisons.TryInstant(literal, out _) ? ValueTypes.Text | ValueTypes.Instant : ValueTypes.Text,
        _ => ValueTypes.Number,
    };

    private ValueTypes TypesOf(PathNode path)
    {
        if (path.Steps.Count == 0)
        {
            return ValueTypes.Any;
        }
        var fields = KnownFields.Of(path);
        var first = path.Steps[0];
        if (!fields.TryGetValue(first.Name!, out var type))
        {
            WarnUnknownField(path, first, fields.Keys);
            return ValueTypes.Any;
        }
        if (path.Steps.Count == 1)
        {
            return type;
        }
        if (type != ValueTypes.Document)
        {
            var second = path.Steps[1];
            Warn(ConditionErrorCodes.UnknownField, $"`{first.Name}` is a single value and has no fields.", second.Start, second.End, null);
        }
        return ValueTypes.Any;
    }

    private void WarnUnknownField(PathNode path, PathStep step, IEnumerable<string> known)
    {
        var near = NearestName.Find(step.Name!, known);
        if (near is null && KnownFields.HasAttributes(path))
        {
            return;
        }
        var root = path.Slot >= 0 ? "a signal" : RootNames.NameOf(path.Root);
        var hint = near is not null ? $"did you mean {near}?"
            : path.IsSignal ? $"fields of your own are under context: {_source.Text[path.Start..path.Steps[0].Start]}context.{step.Name}"
            : null;
        Warn(ConditionErrorCodes.UnknownField, $"{root} has no field `{step.Name}`.", step.Start, step.End, hint,
            [.. known.Order(StringComparer.Ordinal)]);
    }

    private ValueTypes TypesOf(CallNode call)
    {
        if (call.Function == Function.Now)
        {
            return ValueTypes.Instant;
        }
        var subject = TypesOf(call.Arguments[0]);
        var accepted = call.Function switch
        {
            Function.Has => ValueTypes.Any,
            Function.Size => ValueTypes.Text | ValueTypes.List | ValueTypes.Document,
            Function.Contains => ValueTypes.Text | ValueTypes.List,
            _ => ValueTypes.Text,
        };
        if ((subject & accepted) == 0)
        {
            Mismatch(
                call.Arguments[0],
                $"`{Excerpt(call.Arguments[0])}` is {Names(subject)}; {NameOf(call.Function)} takes {Names(accepted)}.",
                null);
        }
        if (call.Function is Function.Contains or Function.StartsWith or Function.EndsWith)
        {
            var argument = TypesOf(call.Arguments[1]);
            if (subject == ValueTypes.Text && (argument & ValueTypes.Text) == 0)
            {
                Mismatch(call.Arguments[1], $"`{Excerpt(call.Arguments[1])}` is {Names(argument)}; text can only contain text.", null);
            }
            return ValueTypes.Boolean;
        }
        return call.Function switch
        {
            Function.Size => ValueTypes.Number,
            Function.Lower => ValueTypes.Text,
            _ => ValueTypes.Boolean,
        };
    }

    private void CheckRelation(RelationNode relation)
    {
        var left = TypesOf(relation.Left);
        var right = TypesOf(relation.Right);
        if (relation.Relation is Relation.In or Relation.NotIn)
        {
            CheckMembership(relation, left, right);
            return;
        }
        var isEquality = relation.Relation is Relation.Equal or Relation.NotEqual;
        if (isEquality && (left == ValueTypes.Null || right == ValueTypes.Null))
        {
            CheckNullTest(relation, left == ValueTypes.Null ? relation.Right : relation.Left, left == ValueTypes.Null ? right : left);
        }
        else if (!Comparable(relation.Left, left, relation.Right, right, isEquality))
        {
            Mismatch(relation, $"{Names(left)} and {Names(right)} cannot be compared with this sign, so this never matches.",
                HintFor(relation, left, right));
        }
    }

    // The fields of records are never JSON null: what is empty is missing.
    private void CheckNullTest(RelationNode relation, Node tested, ValueTypes types)
    {
        if (relation.Relation == Relation.Equal && (types & ValueTypes.Null) == 0 && tested is PathNode)
        {
            Mismatch(relation, $"`{Excerpt(tested)}` is never a JSON null; when it is empty it is missing, so this never matches.",
                $"write !has({Excerpt(tested)})");
        }
    }

    private void CheckMembership(RelationNode relation, ValueTypes left, ValueTypes right)
    {
        if ((right & ValueTypes.List) == 0)
        {
            Mismatch(relation.Right, $"`in` needs a list or an array on its right, not {Names(right)}.", "write x in ['a', 'b']");
        }
        else if (relation.Right is ListNode { Items.Count: > 0 } list
            && !list.Items.Any(item => item.Value.Kind == ConditionValueKind.Null
                || Comparable(relation.Left, left, item, TypesOf(item.Value), isEquality: true)))
        {
            Mismatch(relation, $"{Names(left)} equals nothing in this list, so this never matches.", null);
        }
    }

    private static bool Comparable(Node left, ValueTypes leftTypes, Node right, ValueTypes rightTypes, bool isEquality)
    {
        var scalars = ValueTypes.Number | ValueTypes.Text | ValueTypes.Instant | (isEquality ? ValueTypes.Boolean | ValueTypes.Null : ValueTypes.None);
        return (leftTypes & rightTypes & scalars) != 0
            || TextAgainst(left, leftTypes, right, rightTypes)
            || TextAgainst(right, rightTypes, left, leftTypes);
    }

    /// <summary>Text that could hold a number (against a literal) or a timestamp; of a literal we already know that it does not.</summary>
    private static bool TextAgainst(Node text, ValueTypes textTypes, Node other, ValueTypes otherTypes) =>
        (textTypes & ValueTypes.Text) != 0
        && ((other is LiteralNode && otherTypes == ValueTypes.Number
                && (text is not LiteralNode literal || Comparisons.TryNumber(literal.Value, out _)))
            || ((otherTypes & ValueTypes.Instant) != 0 && text is not LiteralNode));

    private static string? HintFor(RelationNode relation, ValueTypes left, ValueTypes right)
    {
        var literal = relation.Right as LiteralNode ?? relation.Left as LiteralNode;
        var other = relation.Right is LiteralNode ? left : right;
        return (literal?.Value.AsString(), other) switch
        {
            ({ } text, ValueTypes.Number) when NumericText.IsNumber(text) => $"write {text} without quotes",
            ("true" or "false", ValueTypes.Boolean) => $"write {literal!.Value.AsString()} without quotes",
            (not null, ValueTypes.Instant) => "write a full timestamp with offset, as in '2026-01-31T00:00:00Z', or ago(14d)",
            _ => null,
        };
    }

    private void Mismatch(Node node, string detail, string? hint) =>
        Warn(ConditionErrorCodes.TypeMismatch, detail, node.Start, node.End, hint);

    private void Warn(string code, string detail, int start, int end, string? hint, params string[] expected) =>
        _warnings.Add(_source.Error(code, char.ToUpperInvariant(detail[0]) + detail[1..], start, end, hint, expected));

    private string Excerpt(Node node)
    {
        const int longest = 40;
        var text = _source.Text[node.Start..node.End];
        return text.Length <= longest ? text : $"{text[..longest]}…";
    }

    private static string NameOf(Function function) => function switch
    {
        Function.TitleMatches => "title_matches()",
        Function.StartsWith => ".startsWith()",
        Function.EndsWith => ".endsWith()",
        Function.Contains => ".contains()",
        _ => $"{function.ToString().ToLowerInvariant()}()",
    };

    private static string Names(ValueTypes types)
    {
        (ValueTypes Type, string Name)[] names =
        [
            (ValueTypes.Boolean, "a boolean"), (ValueTypes.Number, "a number"), (ValueTypes.Text, "text"), (ValueTypes.Instant, "a time"),
            (ValueTypes.List, "a list"), (ValueTypes.Document, "an object"), (ValueTypes.Null, "null"),
        ];
        return string.Join(" or ", names.Where(name => (types & name.Type) != 0).Select(name => name.Name));
    }
}
