namespace SignalHub.Conditions;

/// <summary>What one evaluation has at hand; lives on the stack.</summary>
internal ref struct Scope
{
    public ConditionInput Input;

    /// <summary>The signal that all <c>signals.</c> paths speak of.</summary>
    public IFields? Signal;

    /// <summary>The variables of the quantifiers, from the outside.</summary>
    public IFields? Outer;
    public IFields? Inner;

    /// <summary>What the conditions of a set have read; null outside of one.</summary>
    public SharedValue[]? Shared;

    public readonly long NowTicks => Input.Now.UtcTicks;

    /// <summary>How many signals the quantifiers range over.</summary>
    public readonly int SignalCount => Input.Signals?.Count ?? (Input.Signal is null ? 0 : 1);

    /// <summary>Evaluates the body of a quantifier with its variable bound to one of the signals.</summary>
    public Truth Try(int signal, bool isInner, Test body)
    {
        var fields = Input.Signals is { } signals ? signals[signal] : Input.Signal;
        if (isInner)
        {
            Inner = fields;
        }
        else
        {
            Outer = fields;
        }
        return body(ref this);
    }
}

internal delegate Truth Test(ref Scope scope);

internal delegate ConditionValue Reader(ref Scope scope);

/// <summary>Turns the syntax tree into closures: names, literals and coercions are settled once, evaluation only reads and compares.</summary>
internal static class Evaluator
{
    public static Test Test(Node node) => node switch
    {
        NotNode not => Not(Test(not.Operand)),
        AndNode and => And([.. and.Items.Select(Test)]),
        OrNode or => Or([.. or.Items.Select(Test)]),
        RelationNode { Relation: Relation.In } relation => Membership(relation),
        RelationNode { Relation: Relation.NotIn } relation => Not(Membership(relation)),
        RelationNode relation => Comparison(relation),
        CallNode { Function: not (Function.Lower or Function.Size or Function.Now) } call => Call(call),
        WithinNode within => Within(within),
        QuantifierNode { Quantifier: not Quantifier.Count } quantifier => Quantified(quantifier),
        _ => BooleanValue(Read(node)),
    };

    public static Reader Read(Node node)
    {
        switch (node)
        {
            case LiteralNode literal:
                var value = literal.Value;
                return (ref Scope _) => value;
            case PathNode path:
                return Path(path);
            case SharedPathNode shared:
                return Shared(shared);
            case CallNode { Function: Function.Now }:
                return (ref Scope scope) => ConditionValue.OfTicks(scope.NowTicks);
            case AgoNode { Ticks: var ticks }:
                return (ref Scope scope) => ConditionValue.OfTicks(scope.NowTicks - ticks);
            case CallNode { Function: Function.Lower } call:
                var text = Read(call.Arguments[0]);
                return (ref Scope scope) => text(ref scope).AsString() is { } s ? ConditionValue.Of(AsciiText.ToLower(s)) : default;
            case CallNode { Function: Function.Size, Arguments: [ListNode list] }:
                var count = ConditionValue.Of(list.Items.Count);
                return (ref Scope _) => count;
            case CallNode { Function: Function.Size } call:
                var measured = Read(call.Arguments[0]);
                return (ref Scope scope) => measured(ref scope).Size();
            case QuantifierNode { Quantifier: Quantifier.Count } quantifier:
                return Count(quantifier);
            case ListNode:
                return (ref Scope _) => default;
            default:
                var test = Test(node);
                return (ref Scope scope) => test(ref scope) switch
                {
                    Truth.True => ConditionValue.Of(true),
                    Truth.False => ConditionValue.Of(false),
                    _ => default,
                };
        }
    }

    /// <summary>Whether the node speaks of "a signal of the lead", so that every signal has to be tried.</summary>
    public static bool UsesSignals(Node node) => node switch
    {
        PathNode path => path.Root == Roots.Signals,
        NotNode not => UsesSignals(not.Operand),
        AndNode and => and.Items.Any(UsesSignals),
        OrNode or => or.Items.Any(UsesSignals),
        RelationNode relation => UsesSignals(relation.Left) || UsesSignals(relation.Right),
        CallNode call => call.Arguments.Any(UsesSignals),
        WithinNode within => UsesSignals(within.Signal),
        QuantifierNode quantifier => UsesSignals(quantifier.Body),
        _ => false,
    };

    private static Test Not(Test operand) => (ref Scope scope) => TruthLogic.Not(operand(ref scope));

    private static Test And(Test[] items) => (ref Scope scope) =>
    {
        var truth = Truth.True;
        foreach (var item in items)
        {
            var next = item(ref scope);
            if (next == Truth.False)
            {
                return Truth.False;
            }
            truth = next < truth ? next : truth;
        }
        return truth;
    };

    private static Test Or(Test[] items) => (ref Scope scope) =>
    {
        var truth = Truth.False;
        foreach (var item in items)
        {
            var next = item(ref scope);
            if (next == Truth.True)
            {
                return Truth.True;
            }
            truth = next > truth ? next : truth;
        }
        return truth;
    };

    private static Test BooleanValue(Reader read) => (ref Scope scope) =>
        read(ref scope).AsBoolean() is { } flag ? TruthLogic.Of(flag) : Truth.Unknown;

    private static Coercion CoercionOf(Node node) => node is LiteralNode literal ? Comparisons.CoercionOf(literal.Value) : Coercion.None;

    private static Test Comparison(RelationNode node)
    {
        if (node is { Left: SharedPathNode shared, Right: LiteralNode literal })
        {
            return ComparisonOfShared(shared, node.Relation, literal.Value);
        }
        var left = Read(node.Left);
        var right = Read(node.Right);
        var coercion = CoercionOf(node.Left) | CoercionOf(node.Right);
        var relation = node.Relation;
        return relation switch
        {
            Relation.Equal => (ref Scope scope) => Comparisons.Equal(left(ref scope), right(ref scope), coercion),
            Relation.NotEqual => (ref Scope scope) => TruthLogic.Not(Comparisons.Equal(left(ref scope), right(ref scope), coercion)),
            _ => (ref Scope scope) => Comparisons.Ordered(relation, left(ref scope), right(ref scope), coercion),
        };
    }

    /// <summary>
    /// By far the most frequent part of a set, in one closure instead of three: of two hundred automations each costs what it
    /// touches in memory more than what it computes.
    /// </summary>
    private static Test ComparisonOfShared(SharedPathNode node, Relation relation, ConditionValue literal)
    {
        var read = Shared(node);
        var place = node.Place;
        var coercion = Comparisons.CoercionOf(literal);
        return (ref Scope scope) =>
        {
            ref var shared = ref scope.Shared![place];
            if (!shared.IsKnown)
            {
                read(ref scope);
            }
            return relation switch
            {
                Relation.Equal => Comparisons.Equal(shared.Value, literal, coercion),
                Relation.NotEqual => TruthLogic.Not(Comparisons.Equal(shared.Value, literal, coercion)),
                _ => Comparisons.Ordered(relation, shared.Value, literal, coercion),
            };
        };
    }

    private static Test Membership(RelationNode node)
    {
        var left = Read(node.Left);
        var leftCoercion = CoercionOf(node.Left);
        if (node.Right is not ListNode list)
        {
            var container = Read(node.Right);
            return (ref Scope scope) => Comparisons.ElementOf(left(ref scope), container(ref scope), leftCoercion);
        }
        var items = list.Items.Select(item => item.Value).ToArray();
        var coercions = items.Select(item => leftCoercion | Comparisons.CoercionOf(item)).ToArray();
        return (ref Scope scope) =>
        {
            var value = left(ref scope);
            var truth = value.Kind == ConditionValueKind.Missing ? Truth.Unknown : Truth.False;
            for (var i = 0; i < items.Length && truth != Truth.True; i++)
            {
                var next = Comparisons.Equal(value, items[i], coercions[i]);
                truth = next > truth ? next : truth;
            }
            return truth;
        };
    }

    private static Reader Path(PathNode path)
    {
        var name = path.Steps[0].Name!;
        PathStep[] rest = [.. path.Steps.Skip(1)];
        var fields = Fields(path);
        return (ref Scope scope) =>
        {
            var value = fields(ref scope)?.Get(name) ?? default;
            foreach (var step in rest)
            {
                value = value.Step(step);
            }
            return value;
        };
    }

    private static Reader Shared(SharedPathNode node)
    {
        var read = Path(node.Path);
        var place = node.Place;
        return (ref Scope scope) =>
        {
            ref var shared = ref scope.Shared![place];
            if (!shared.IsKnown)
            {
                shared.Value = read(ref scope);
                shared.IsKnown = true;
            }
            return shared.Value;
        };
    }

    private delegate IFields? FieldsReader(ref Scope scope);

    private static FieldsReader Fields(PathNode path) => path switch
    {
        { Slot: 0 } => (ref Scope scope) => scope.Outer,
        { Slot: > 0 } => (ref Scope scope) => scope.Inner,
        { Root: Roots.Signal } => (ref Scope scope) => scope.Input.Signal,
        { Root: Roots.Signals } => (ref Scope scope) => scope.Signal,
        { Root: Roots.Lead } => (ref Scope scope) => scope.Input.Lead,
        { Root: Roots.Person } => (ref Scope scope) => scope.Input.Person,
        { Root: Roots.Company } => (ref Scope scope) => scope.Input.Company,
        { Root: Roots.Icp } => (ref Scope scope) => scope.Input.Icp,
        _ => (ref Scope scope) => scope.Input.Persona,
    };

    private static Test Call(CallNode call)
    {
        if (call is { Function: Function.Has, Arguments: [PathNode path] })
        {
            return path.Steps.Count == 0 ? HasRoot(Fields(path)) : HasValue(Path(path));
        }
        var text = Read(call.Arguments[0]);
        if (call is { Function: Function.TitleMatches, Arguments: [_, ListNode titles] })
        {
            var words = new TitleWords(titles.Items.Select(item => item.Value.AsString()!));
            return (ref Scope scope) => Comparisons.TitleMatches(text(ref scope), words);
        }
        var argument = Read(call.Arguments[1]);
        var coercion = CoercionOf(call.Arguments[1]);
        var function = call.Function;
        return function == Function.Contains
            ? (ref Scope scope) => Comparisons.Contains(text(ref scope), argument(ref scope), coercion)
            : (ref Scope scope) => Comparisons.TextMatches(function, text(ref scope), argument(ref scope));
    }

    private static Test HasRoot(FieldsReader fields) => (ref Scope scope) => TruthLogic.Of(fields(ref scope) is not null);

    private static Test HasValue(Reader read) => (ref Scope scope) => TruthLogic.Of(read(ref scope).Kind != ConditionValueKind.Missing);

    private static Test Within(WithinNode within)
    {
        var fields = Fields(within.Signal);
        var ticks = within.Ticks;
        return (ref Scope scope) => Comparisons.Ordered(
            Relation.GreaterOrEqual,
            fields(ref scope)?.Get("occurred_at") ?? default,
            ConditionValue.OfTicks(scope.NowTicks - ticks),
            Coercion.None);
    }

    // "any" is the "or" and "all" the "and" over the signals, so they obey the same laws as the signs.
    private static Test Quantified(QuantifierNode node)
    {
        var body = Test(node.Body);
        var isInner = node.Slot > 0;
        var (start, decisive) = node.Quantifier == Quantifier.Any ? (Truth.False, Truth.True) : (Truth.True, Truth.False);
        return (ref Scope scope) =>
        {
            var truth = start;
            for (var i = 0; i < scope.SignalCount && truth != decisive; i++)
            {
                var next = scope.Try(i, isInner, body);
                truth = next == decisive || next == Truth.Unknown ? next : truth;
            }
            return truth;
        };
    }

    private static Reader Count(QuantifierNode node)
    {
        var body = Test(node.Body);
        var isInner = node.Slot > 0;
        return (ref Scope scope) =>
        {
            var count = 0L;
            for (var i = 0; i < scope.SignalCount; i++)
            {
                count += scope.Try(i, isInner, body) == Truth.True ? 1 : 0;
            }
            return ConditionValue.Of(count);
        };
    }
}
