using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;
using SignalHub.Http;
using SignalHub.Resources;
using SignalHub.Signals.Intake;
using SignalHub.Workspaces;

namespace SignalHub.Signals.Batch;

/// <summary>Many signals in one request.</summary>
public static class BatchApi
{
    private const string Lines = "application/x-ndjson";

    private const string Example = """
        {"signals": [
          {"signal_type": "custom_event", "source": "your-system-name", "event_name": "user_invited_teammate", "occurred_at": "2026-05-26T14:30:00Z",
           "identity": {"email": "person@company.com", "title": "VP Engineering"}, "context": {"team_size": 12, "plan_tier": "free"}},
          {"signal_type": "custom_event", "source": "your-system-name", "event_name": "trial_started", "occurred_at": "2026-05-26T14:31:00Z",
           "identity": {"company_domain": "example.org"}}]}
        """;

    public static void MapSignalBatch(this IEndpointRouteBuilder routes) => routes.MapPost("/signals/batch", TakeAsync)
        .RequireScope(Scopes.Ingest)
        .WithTags("Signals")
        .WithMetadata(new DescribedBody(typeof(BatchRequestBody)))
        .Produces<BatchResponse>(StatusCodes.Status200OK)
        .Produces<BatchResponse>(StatusCodes.Status207MultiStatus)
        .ProducesProblems(400, 401, 403, 413, 415, 422, 429, 503)
        .WithRequestExample(Example);

    /// <summary>Send up to 1,000 signals</summary>
    /// <remarks>
    /// `{"signals": […]}`, or one signal per line as `application/x-ndjson`; at most 5 MB. Each signal is what `POST /signals` takes, and is
    /// stored, matched, scored and answered as it would be alone: one that is refused harms no other, and one that comes twice is a
    /// duplicate. Results are in the order of the request, after the commit.
    ///
    /// 200 when none was rejected, 207 when some were, 422 (in the same shape) when all were. Each signal costs one event of the quota; if
    /// the quota covers only a part, the first so many valid ones are taken, the rest is rejected with `quota_exceeded`, and `Retry-After`
    /// is set. Idempotency keys go into the signals: the header is ignored here, with a warning.
    /// </remarks>
    /// <param name="dryRun">Not here: a batch cannot be rehearsed.</param>
    /// <param name="idempotencyKey">Ignored, with a warning.</param>
    internal static async Task<IResult> TakeAsync(
        HttpContext context, Caller caller, SignalDoor door, QueryFlag dryRun, [FromHeader(Name = "Idempotency-Key")] string? idempotencyKey)
    {
        if (dryRun.Value == true)
        {
            return new Problem(ProblemCodes.InvalidQuery, "A batch cannot be rehearsed: send a signal to POST /signals?dry_run=true.");
        }
        if (!door.Gate.IsOpen)
        {
            return door.Refuse(signals: 1);     // at least: nobody has counted them
        }
        var (body, unreadable) = await RequestBody.ReadAsync(context, BatchBody.MaxBytes, Lines);
        if (unreadable is not null)
        {
            return unreadable;
        }
        var isLines = MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) && type.MediaType.Equals(Lines, StringComparison.OrdinalIgnoreCase);
        var (items, broken) = isLines ? BatchBody.OfLines(body) : BatchBody.OfJson(body);
        if (broken is not null)
        {
            return broken;
        }
        if (!door.Gate.TryEnter(items.Count))
        {
            return door.Refuse(items.Count);
        }
        try
        {
            return await TakeInAsync(context, caller, door, items, isLines ? "" : "/signals", idempotencyKey);
        }
        finally
        {
            door.Gate.Leave(items.Count);
        }
    }

    private static async Task<IResult> TakeInAsync(
        HttpContext context, Caller caller, SignalDoor door, List<ReadOnlyMemory<byte>> items, string pointer, string? idempotencyKey)
    {
        var settings = await door.Workspaces.GetAsync(caller.WorkspaceId);
        var admission = await door.Limiter.ReserveAsync(caller.WorkspaceId, settings.Limits, items.Count, caller.IsTest);
        if (admission.Problem is { } refused)
        {
            RateLimitHeaders.Write(context.Response, admission);
            return refused;
        }
        var captured = 0;
        try
        {
            var results = await CaptureAsync(caller, door.Capture, items, admission, pointer);
            captured = results.Count(r => r.Status == SignalResponse.Captured);
            return Answer(context, results, captured, idempotencyKey);
        }
        finally
        {
            // As with single signals: only what is new costs anything.
            RateLimitHeaders.Write(context.Response, door.Limiter.GiveBack(admission, admission.Allowed - captured));
        }
    }

    private static async Task<BatchItemResult[]> CaptureAsync(
        Caller caller, SignalCapture capture, List<ReadOnlyMemory<byte>> items, Admission admission, string pointer)
    {
        var results = new BatchItemResult[items.Count];
        List<(int Index, Task<IntakeResult> Done)> waiting;
        try
        {
            waiting = await QueueAsync(caller, capture, items, admission, pointer, results);
        }
        finally
        {
            capture.NoMoreCome();
        }
        foreach (var (index, done) in waiting)
        {
            var result = await done;
            results[index] = result.Captured is { } signal
                ? BatchItemResult.Of(index, SignalResponse.Of(signal))
                : BatchItemResult.Of(index, result.Problem!.Under($"{pointer}/{index}"));
        }
        return results;
    }

    /// <summary>
    /// Checks one after another and queues each at once: a writer stores the first ones while the last are still being checked. Only a key
    /// that comes again waits for the first of its kind: about another person it would wait in another line, and might be there first.
    /// </summary>
    private static async Task<List<(int Index, Task<IntakeResult> Done)>> QueueAsync(
        Caller caller, SignalCapture capture, List<ReadOnlyMemory<byte>> items, Admission admission, string pointer, BatchItemResult[] results)
    {
        var waiting = new List<(int Index, Task<IntakeResult> Done)>(items.Count);
        var firstOfKey = new Dictionary<string, Task<IntakeResult>>();
        for (var i = 0; i < items.Count; i++)
        {
            var checking = items[i].Length > RequestBody.DefaultLimit
                ? ValueTask.FromResult<(IntakeItem?, Problem?)>((null, new Problem(ProblemCodes.BodyTooLarge, "The signal is larger than 1 MB: send less context.")))
                : capture.CheckAsync(caller, new SentSignal(SignalRequest.Read, items[i], null, IsDryRun: false));
            if (!checking.IsCompleted)
            {
                capture.NoMoreCome();       // those before it do not wait for what it waits for
            }
            var (item, problem) = await checking;
            problem ??= waiting.Count < admission.Allowed ? null : admission.QuotaExceeded;
            if (problem is not null)
            {
                results[i] = BatchItemResult.Of(i, problem.Under($"{pointer}/{i}"));
                continue;
            }
            var key = item!.Dedupe.IsClientKey ? Convert.ToHexString(item.Dedupe.Hash) : null;
            if (key is not null && firstOfKey.TryGetValue(key, out var first))
            {
                capture.NoMoreCome();
                await first;
            }
            var captured = capture.CaptureAsync(item, moreCome: true);
            waiting.Add((i, captured));
            if (key is not null)
            {
                firstOfKey.TryAdd(key, captured);
            }
        }
        return waiting;
    }

    private static IResult Answer(HttpContext context, BatchItemResult[] results, int captured, string? idempotencyKey)
    {
        var rejected = results.Count(r => r.Error is not null);
        // Trouble of ours is a 503 when nothing got through, as for a single signal: senders try those again by themselves.
        if (rejected == results.Length && results.All(r => r.Error!.Code.Status == StatusCodes.Status503ServiceUnavailable))
        {
            return results[0].Error!;
        }
        if (results.Max(r => r.Error?.RetryAfterSeconds) is { } seconds)
        {
            context.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
        List<Warning> warnings = string.IsNullOrWhiteSpace(idempotencyKey) ? [] :
            [new Warning("header_ignored", "", "The header Idempotency-Key was ignored: give each signal an idempotency_key of its own.")];
        var status = rejected == 0 ? StatusCodes.Status200OK
            : rejected < results.Length ? StatusCodes.Status207MultiStatus
            : StatusCodes.Status422UnprocessableEntity;
        return TypedResults.Json(
            new BatchResponse(captured, results.Length - captured - rejected, rejected, warnings, results), Json.Options, statusCode: status);
    }
}

/// <summary>Up to 1,000 signals. Only for the description of the API: each is read leniently.</summary>
/// <param name="Signals">Each as `POST /signals` takes it.</param>
public sealed record BatchRequestBody([property: System.Text.Json.Serialization.JsonRequired] IReadOnlyList<SignalBody> Signals);
