using System.Buffers;

namespace SignalHub.Conditions;

/// <summary>
/// Many conditions, and paths, that are held against the same input: a path that several of them name is read once, and a part that several of
/// them share (one side of a top-level <c>and</c>) is decided once. Two hundred conditions of one workspace look at a dozen fields.
/// Immutable and safe to share between threads.
/// </summary>
public sealed class ConditionSet
{
    private readonly Condition?[] _conditions;
    private readonly int[][] _parts;
    private readonly Test[] _tests;
    private readonly FieldPath[] _paths;
    private readonly Reader[] _readers;
    private readonly int _places;

    /// <param name="conditions">Null: no condition, which always matches.</param>
    /// <param name="paths">What is to be read besides.</param>
    public ConditionSet(IReadOnlyList<Condition?> conditions, IReadOnlyList<FieldPath>? paths = null)
    {
        _conditions = [.. conditions];
        _paths = [.. paths ?? []];
        var tests = new List<Test>();
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        var sharing = new PathSharing();
        _parts = [.. _conditions.Select(condition => condition is null ? [] : PartsOf(condition).Select(part =>
        {
            // The same text of the same kind means the same: parentheses before its start show as unmatched ones inside.
            var key = $"{part.GetType().Name} {condition.Text[part.Start..part.End]}";
            if (!places.TryGetValue(key, out var place))
            {
                places.Add(key, place = tests.Count);
                tests.Add(Evaluator.Test(sharing.Share(part)));
            }
            return place;
        }).ToArray())];
        _tests = [.. tests];
        var readers = new Dictionary<int, Reader>();
        _readers = [.. _paths.Select(path => ReaderOf(sharing.Share(path), readers))];
        _places = sharing.Count;
    }

    /// <summary>Begins to hold the conditions against an input of which nothing that was asked for changes meanwhile; to be disposed of.</summary>
    public Pass Begin(ConditionInput input) => new(this, input);

    private static Reader ReaderOf(SharedPathNode path, Dictionary<int, Reader> readers) =>
        readers.TryGetValue(path.Place, out var reader) ? reader : readers[path.Place] = Evaluator.Read(path);

    private static IEnumerable<Node> PartsOf(Condition condition) => condition.Syntax is AndNode and ? and.Items : [condition.Syntax];

    /// <summary>One input, and what is known of it so far.</summary>
    public ref struct Pass
    {
        private const byte NotAsked = 0;

        private readonly ConditionSet _set;
        private readonly byte[] _answers;
        private Scope _scope;

        internal Pass(ConditionSet set, ConditionInput input)
        {
            _set = set;
            _answers = ArrayPool<byte>.Shared.Rent(set._tests.Length);
            _answers.AsSpan(0, set._tests.Length).Clear();
            // Clear when it is rented: whoever used it gave it back so.
            _scope = new Scope { Input = input, Signal = input.Signal, Shared = ArrayPool<SharedValue>.Shared.Rent(set._places) };
        }

        /// <summary>Whether the condition at that place of the set is true.</summary>
        public bool Matches(int condition)
        {
            if (_scope.Input.Signals is not null)
            {
                // "There is a signal such that" is about the condition as a whole: its parts may not be decided apart.
                return _set._conditions[condition]?.Matches(_scope.Input) ?? true;
            }
            foreach (var part in _set._parts[condition])
            {
                if (Ask(part) != Truth.True)
                {
                    return false;
                }
            }
            return true;
        }

        /// <summary>The truth of the condition at that place of the set.</summary>
        public Truth Evaluate(int condition)
        {
            if (_scope.Input.Signals is not null)
            {
                return _set._conditions[condition]?.Evaluate(_scope.Input) ?? Truth.True;
            }
            var truth = Truth.True;
            foreach (var part in _set._parts[condition])
            {
                var next = Ask(part);
                if (next == Truth.False)
                {
                    return Truth.False;
                }
                truth = next < truth ? next : truth;
            }
            return truth;
        }

        /// <summary>The value of the path at that place of the set.</summary>
        public ConditionValue Read(int path) =>
            _scope.Input.Signals is null ? _set._readers[path](ref _scope) : _set._paths[path].Read(_scope.Input);

        private Truth Ask(int part)
        {
            ref var answer = ref _answers[part];
            if (answer == NotAsked)
            {
                answer = (byte)(1 + _set._tests[part](ref _scope));
            }
            return (Truth)(answer - 1);
        }

        public void Dispose()
        {
            // The values hold on to the input's JSON.
            _scope.Shared.AsSpan(0, _set._places).Clear();
            ArrayPool<SharedValue>.Shared.Return(_scope.Shared!);
            ArrayPool<byte>.Shared.Return(_answers);
        }
    }
}

/// <summary>A value that was read for all conditions of a set.</summary>
internal struct SharedValue
{
    public bool IsKnown;
    public ConditionValue Value;
}

/// <summary>Gives every path that begins at a root a place of its own, and puts that place where the path stood.</summary>
internal sealed class PathSharing
{
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);

    public int Count => _places.Count;

    public SharedPathNode Share(FieldPath path) => new(path.Syntax, PlaceOf(path.Syntax));

    /// <summary>The same part with its paths shared. Inside of quantifiers nothing is: their variables are others for each signal.</summary>
    public Node Share(Node node) => node switch
    {
        PathNode { Slot: < 0, Steps.Count: > 0 } path => new SharedPathNode(path, PlaceOf(path)),
        NotNode not => not with { Operand = Share(not.Operand) },
        AndNode and => and with { Items = [.. and.Items.Select(Share)] },
        OrNode or => or with { Items = [.. or.Items.Select(Share)] },
        RelationNode relation => relation with { Left = Share(relation.Left), Right = Share(relation.Right) },
        CallNode { Function: not Function.Has } call => call with { Arguments = [.. call.Arguments.Select(Share)] },
        _ => node,
    };

    private int PlaceOf(PathNode path)
    {
        // With one signal at hand, signals and signal are that one.
        var root = path.IsSignal ? Roots.Signal : path.Root;
        var key = string.Join('\u0001', path.Steps.Select(step => step.Name ?? $"\u0002{step.Index}").Prepend(root.ToString()));
        if (!_places.TryGetValue(key, out var place))
        {
            _places.Add(key, place = _places.Count);
        }
        return place;
    }
}
