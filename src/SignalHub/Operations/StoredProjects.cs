using SignalHub.Projects;
using SignalHub.Webhooks;

namespace SignalHub.Operations;

/// <summary>Holds stored signals against projects as the intake does.</summary>
internal static class StoredProjects
{
    /// <summary>The projects, as they are now, that the signal matches.</summary>
    public static IReadOnlyList<MatchedProject> Match(ProjectSet projects, StoredSignal signal) => projects.Match(
        signal.Head.TypeKey, signal.Head.Source, signal.Facts,
        new PriorityFacts(signal.Head.Qualified, signal.Data.Qualification.IcpCode is not null, signal.Head.LeadId is not null));
}
