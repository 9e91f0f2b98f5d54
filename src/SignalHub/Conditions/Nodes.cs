using System.Text;

namespace SignalHub.Conditions;

/// <summary>
/// The syntax tree, with <c>Start</c> and <c>End</c> as UTF-16 offsets into the text. Names are resolved: what stands here is
/// known to exist in the scope. Every back end starts from these nodes.
/// </summary>
internal abstract record Node(int Start, int End);

/// <summary>A string, number, <c>true</c>, <c>false</c> or <c>null</c>.</summary>
internal sealed record LiteralNode(ConditionValue Value, int Start, int End) : Node(Start, End);

internal sealed record ListNode(IReadOnlyList<LiteralNode> Items, int Start, int End) : Node(Start, End);

/// <summary>
/// A path. <c>Root</c> is where it begins, or <see cref="Roots.None"/> for a quantifier's variable; <c>Slot</c> is which quantifier's
/// variable, from the outside, from 0, or −1 for a root. <c>Steps</c> is empty only as the operand of <c>has</c> and <c>within</c>.
/// </summary>
internal sealed record PathNode(Roots Root, int Slot, IReadOnlyList<PathStep> Steps, int Start, int End) : Node(Start, End)
{
    /// <summary>Whether it speaks of a signal, by whatever name.</summary>
    public bool IsSignal => Slot >= 0 || Root is Roots.Signal or Roots.Signals;
}

/// <summary>A path whose value is read once for all conditions of a <see cref="ConditionSet"/>.</summary>
internal sealed record SharedPathNode(PathNode Path, int Place) : Node(Path.Start, Path.End);

internal sealed record NotNode(Node Operand, int Start, int End) : Node(Start, End);

internal sealed record AndNode(IReadOnlyList<Node> Items, int Start, int End) : Node(Start, End);

internal sealed record OrNode(IReadOnlyList<Node> Items, int Start, int End) : Node(Start, End);

internal enum Relation
{
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}

internal sealed record RelationNode(Relation Relation, Node Left, Node Right, int Start, int End) : Node(Start, End);

internal enum Function
{
    Has,
    Lower,
    Size,
    Glob,
    Now,
    TitleMatches,
    Contains,
    StartsWith,
    EndsWith,
}

/// <summary>A function, or a method with its path as the first argument.</summary>
internal sealed record CallNode(Function Function, IReadOnlyList<Node> Arguments, int Start, int End) : Node(Start, End);

/// <summary><c>ago(14d)</c>: the instant that long before now.</summary>
internal sealed record AgoNode(long Ticks, int Start, int End) : Node(Start, End);

/// <summary><c>signals.within(30d)</c>: that signal occurred no longer ago.</summary>
internal sealed record WithinNode(PathNode Signal, long Ticks, int Start, int End) : Node(Start, End);

internal enum Quantifier
{
    Any,
    All,
    Count,
}

/// <summary><c>signals.any(s, body)</c> and its siblings.</summary>
internal sealed record QuantifierNode(Quantifier Quantifier, int Slot, Node Body, int Start, int End) : Node(Start, End);

/// <summary>One step of a path: a member name or an index into an array.</summary>
internal sealed record PathStep(string? Name, int Index, int Start, int End)
{
    /// <summary>The name as JSON documents hold it, so that a lookup converts nothing.</summary>
    public byte[] Utf8Name { get; } = Name is null ? [] : Encoding.UTF8.GetBytes(Name);
}
