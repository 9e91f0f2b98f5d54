using System.Text.Json.Serialization;
using SignalHub.Http;
using SignalHub.Resources;

namespace SignalHub.Signals.Batch;

/// <summary>What became of a batch: how many of each, and each one's result in the order of the request.</summary>
/// <param name="Warnings">About the request as a whole.</param>
public sealed record BatchResponse(
    int Captured, int Duplicates, int Rejected, IReadOnlyList<Warning> Warnings, IReadOnlyList<BatchItemResult> Results);

/// <summary>What became of one signal of a batch.</summary>
/// <param name="Index">Its place in the request, from 0; blank lines do not count.</param>
/// <param name="Status"><c>captured</c>, <c>duplicate</c> or <c>rejected</c>.</param>
/// <param name="SignalCaptureId">As in the answer to a single signal, like everything down to the warnings; null when rejected.</param>
/// <param name="Error">The problem a single signal would have been answered with; its pointers begin at the request (a line is `/{index}`). Null unless rejected.</param>
public sealed record BatchItemResult(
    int Index, string Status, string? SignalCaptureId, string? MatchedRecordId, string? Bucket, QualificationFigures? Qualification, bool? Qualified,
    string? AccountId, string? ContactId, IReadOnlyList<Warning> Warnings,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? PayloadDiffers,
    [property: JsonConverter(typeof(ProblemConverter))] Problem? Error)
{
    public const string IsRejected = "rejected";

    public static BatchItemResult Of(int index, SignalResponse signal) => new(
        index, signal.Status, signal.SignalCaptureId, signal.MatchedRecordId, signal.Bucket, signal.Qualification, signal.Qualified,
        signal.AccountId, signal.ContactId, signal.Warnings, signal.PayloadDiffers, null);

    public static BatchItemResult Of(int index, Problem problem) =>
        new(index, IsRejected, null, null, null, null, null, null, null, [], null, problem);
}
