namespace SignalHub.Conditions;

/// <summary>The outcome of compiling: exactly one of a condition and at least one error.</summary>
public sealed record ConditionResult(Condition? Condition, IReadOnlyList<ConditionError> Errors);

/// <summary>
/// A compiled condition of the language in docs/conditions.md. Immutable and safe to share between threads; compile once,
/// evaluate often.
/// </summary>
public sealed class Condition
{
    private readonly bool _usesSignals;
    private Test? _test;        // most conditions are only asked in sets, which have tests of their own

    private Condition(Source source, Node syntax, List<PathNode> paths)
    {
        Text = source.Text;
        Syntax = syntax;
        _usesSignals = Evaluator.UsesSignals(syntax);
        Warnings = Checker.Check(source, syntax);
        Paths = [.. paths.Where(path => path is { Slot: < 0, Steps.Count: > 0 })
            .Select(path => new FieldPath(source, path)).DistinctBy(path => path.Text)];
    }

    /// <summary>The text as it was given.</summary>
    public string Text { get; }

    /// <summary>What is valid but probably not meant: <c>unknown_field</c> and <c>type_mismatch</c>.</summary>
    public IReadOnlyList<ConditionError> Warnings { get; }

    /// <summary>
    /// The values the condition looks at, each once, in the order of the text, to explain a result. Paths of a quantifier's
    /// variable are left out: they have no single value.
    /// </summary>
    public IReadOnlyList<FieldPath> Paths { get; }

    /// <summary>The tree, for other back ends.</summary>
    internal Node Syntax { get; }

    /// <summary>
    /// Compiles a text for a place where <paramref name="allowed"/> roots can be used. Never throws, for any text; null counts as
    /// empty. A wrong root is reported each time it occurs, other errors end the compilation.
    /// </summary>
    public static ConditionResult Compile(string text, Roots allowed)
    {
        var source = new Source(text ?? "");
        var (node, paths, errors) = Parser.ParseCondition(source, allowed);
        return node is null ? new ConditionResult(null, errors) : new ConditionResult(new Condition(source, node, paths), []);
    }

    /// <summary>
    /// The truth of the condition. With several signals: whether there is one for which the whole condition is true, unknown if for
    /// one it is unknown. A lead without signals has all <c>signals.</c> paths missing.
    /// </summary>
    public Truth Evaluate(ConditionInput input)
    {
        var test = _test ??= Evaluator.Test(Syntax);
        var scope = new Scope { Input = input, Signal = input.Signal };
        if (!_usesSignals || input.Signals is not { } signals)
        {
            return test(ref scope);
        }
        if (signals.Count == 0)
        {
            scope.Signal = null;
            return test(ref scope);
        }
        var truth = Truth.False;
        for (var i = 0; i < signals.Count && truth != Truth.True; i++)
        {
            scope.Signal = signals[i];
            var next = test(ref scope);
            truth = next > truth ? next : truth;
        }
        return truth;
    }

    /// <summary>Whether the condition is true; unknown does not match.</summary>
    public bool Matches(ConditionInput input) => Evaluate(input) == Truth.True;
}
