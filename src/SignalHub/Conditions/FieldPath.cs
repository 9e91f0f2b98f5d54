namespace SignalHub.Conditions;

/// <summary>The outcome of parsing a path: exactly one of a path and at least one error.</summary>
public sealed record FieldPathResult(FieldPath? Path, IReadOnlyList<ConditionError> Errors);

/// <summary>One value to read, e.g. the <c>field</c> of a criterion with bands. Same grammar as a path inside a condition.</summary>
public sealed class FieldPath
{
    private readonly bool _usesSignals;
    private Reader? _read;

    internal FieldPath(Source source, PathNode path)
    {
        Text = source.Text[path.Start..path.End];
        Syntax = path;
        _usesSignals = path.Root == Roots.Signals;
        Warnings = [];
    }

    private FieldPath(Source source, PathNode path, IReadOnlyList<ConditionError> warnings)
        : this(source, path) => Warnings = warnings;

    /// <summary>The path as it was written.</summary>
    public string Text { get; }

    /// <summary>An <c>unknown_field</c> warning, if the root has no such field. Empty for the paths of a condition: it has its own.</summary>
    public IReadOnlyList<ConditionError> Warnings { get; }

    internal PathNode Syntax { get; }

    /// <summary>Parses a text that is one path. Never throws, for any text; null counts as empty.</summary>
    public static FieldPathResult Parse(string text, Roots allowed)
    {
        var source = new Source(text ?? "");
        var (path, errors) = Parser.ParsePath(source, allowed);
        return path is null
            ? new FieldPathResult(null, errors)
            : new FieldPathResult(new FieldPath(source, path, Checker.CheckPath(source, path)), []);
    }

    /// <summary>The value; of several signals <c>signals.</c> reads the one at hand, or else the first.</summary>
    public ConditionValue Read(ConditionInput input)
    {
        var scope = new Scope { Input = input, Signal = input.Signal };
        if (_usesSignals && input is { Signal: null, Signals: [var first, ..] })
        {
            scope.Signal = first;
        }
        return (_read ??= Evaluator.Read(Syntax))(ref scope);
    }
}
