namespace SignalHub.Resources;

/// <summary>The body of <c>signal.detected</c>: a signal as a project sees it. Exactly the fields of the Siggnal webhook, in its order.</summary>
/// <param name="SignalId"><c>sig_…</c></param>
/// <param name="ProjectId"><c>prj_…</c>: the project that matched.</param>
/// <param name="Priority"><c>high</c>, <c>medium</c> or <c>low</c>.</param>
/// <param name="RelevanceExplanation">One sentence on how the signal was scored.</param>
/// <param name="RecommendedAction">The project's text with the signal's values, or a suggestion of ours.</param>
/// <param name="Contacts">At most ten people of the company: first whom the signal is about, then by seniority.</param>
public sealed record DetectedSignal(
    string SignalId, string ProjectId, DetectedCompany Company, DetectedEvent Event, string Priority, string RelevanceExplanation,
    string RecommendedAction, IReadOnlyList<DetectedContact> Contacts);

/// <summary>The company a detected signal is about; what is not known is null.</summary>
/// <param name="TaxId">The fact <c>tax_id</c> of the account (in Russia the INN).</param>
/// <param name="Industry">The fact <c>industry</c> of the account.</param>
public sealed record DetectedCompany(string? Name, string? TaxId, string? Industry);

/// <summary>What happened.</summary>
/// <param name="Type">Key of the signal's type.</param>
/// <param name="Description">One sentence of the type, the event's name and the context.</param>
/// <param name="DetectedAt">When the signal was received.</param>
public sealed record DetectedEvent(string Type, string Description, DateTimeOffset DetectedAt);

/// <summary>Somebody at the company; what is not known is null.</summary>
/// <param name="Role">The title.</param>
public sealed record DetectedContact(string? Name, string? Role, string? Email, string? Phone);
