using SignalHub.Http;
using SignalHub.Resources;

namespace SignalHub.Signals.Intake;

/// <summary>What became of a signal: exactly one of <see cref="Captured"/> and <see cref="Problem"/> is set.</summary>
public sealed record IntakeResult(CapturedSignal? Captured, Problem? Problem)
{
    public static IntakeResult Of(CapturedSignal captured) => new(captured, null);

    public static IntakeResult Of(Problem problem) => new(null, problem);
}

/// <summary>A stored signal as the intake answers it.</summary>
/// <param name="IsDuplicate">It was stored before; nothing was written now.</param>
/// <param name="PayloadDiffers">Natural-key duplicates: event name or context are not those stored.</param>
/// <param name="ShowsQualification">The type's autoqualify was on.</param>
public sealed record CapturedSignal(
    Guid SignalId, DateTimeOffset OccurredAt, DateTimeOffset ReceivedAt, bool IsDuplicate, bool PayloadDiffers, string? Bucket,
    Guid? LeadId, Guid? AccountId, Guid? ContactId, bool ShowsQualification, bool? Qualified, QualificationFigures Figures,
    IReadOnlyList<Warning> Warnings);
