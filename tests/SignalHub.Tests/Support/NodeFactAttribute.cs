namespace SignalHub.Tests.Support;

/// <summary>A test that runs JavaScript; where Node or npm is missing it is skipped and says so.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NodeFactAttribute : FactAttribute
{
    private static readonly string? _missing = Tools.Missing("node", "npm");

    public NodeFactAttribute() => Skip = _missing is null ? null : $"{_missing} is not installed here: the packages that receivers use were not asked.";
}
