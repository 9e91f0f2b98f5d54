using System.Buffers;

namespace SignalHub.Conditions;

/// <summary>
/// Many conditions that are held against the same input: a path that several of them name is read once, and a part that several of
/// them share (one side of a top-level <c>and</c>) is decided once. Two hundred conditions of one workspace look at a dozen fields.
/// Immutable and safe to share between threads.
/// </summary>
public sealed class ConditionSet
{
    private readonly Condition?[] _conditions;
    private readonly int[][] _parts;
    private readonly Test[] _tests;
    private readonly int _paths;

    /// <param name="conditions">Null: no condition, which always matches.</param>
    public ConditionSet(IReadOnlyList<Condition?> conditions)
    {
        _conditions = [.. conditions];
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
        _paths = sharing.Count;
    }

    /// <summary>Begins to hold the conditions against an input that does not change meanwhile; to be disposed of.</summary>
    public Pass Begin(ConditionInput input) => new(this, input);

    private static IEnumerable<Node> PartsOf(Condition condition) => condition.Syntax is AndNode and ? and.Items : [condition.Syntax];

    /// <summary>One input, and what is known of it so far.</summary>
    public ref struct Pass
    {
        private const byte NotAsked = 0;
        private const byte IsTrue = 1;
        private const byte IsNotTrue = 2;

        private readonly ConditionSet _set;
        private readonly byte[] _answers;
        private Scope _scope;

        internal Pass(ConditionSet set, ConditionInput input)
        {
            _set = set;
            _answers = ArrayPool<byte>.Shared.Rent(set._tests.Length);
            _answers.AsSpan(0, set._tests.Length).Clear();
            // Clear when it is rented: whoever used it gave it back so.
            _scope = new Scope { Input = input, Signal = input.Signal, Shared = ArrayPool<SharedValue>.Shared.Rent(set._paths) };
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
                ref var answer = ref _answers[part];
                if (answer == NotAsked)
                {
                    answer = _set._tests[part](ref _scope) == Truth.True ? IsTrue : IsNotTrue;
                }
                if (answer == IsNotTrue)
                {
                    return false;
                }
            }
            return true;
        }

        public void Dispose()
        {
            // The values hold on to the input's JSON.
            _scope.Shared.AsSpan(0, _set._paths).Clear();
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
