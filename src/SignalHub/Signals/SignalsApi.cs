using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Mvc;
using SignalHub.Http;
using SignalHub.Resources;
using SignalHub.Signals.Intake;
using SignalHub.Storage;
using SignalHub.Workspaces;

namespace SignalHub.Signals;

/// <summary>Taking signals in.</summary>
public static class SignalsApi
{
    private const string Example = """
        {"signal_type": "custom_event", "source": "your-system-name", "event_name": "user_invited_teammate",
         "occurred_at": "2026-05-26T14:30:00Z",
         "identity": {"email": "person@company.com", "company_domain": "company.com", "first_name": "Jane", "last_name": "Doe", "title": "VP Engineering"},
         "context": {"team_size": 12, "plan_tier": "free"}}
        """;

    private static readonly DialectRoute _route = new("/signals", SignalRequest.Read, (_, signal) => SignalResponse.Of(signal), p => p, w => w);

    public static void MapSignals(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/signals", CaptureAsync)
            .RequireScope(Scopes.Ingest)
            .WithTags("Signals")
            .WithMetadata(new DescribedBody(typeof(SignalBody)))
            .Produces<SignalResponse>(StatusCodes.Status201Created)
            .Produces<SignalResponse>(StatusCodes.Status200OK)
            .ProducesProblems(400, 401, 403, 413, 415, 422, 429, 503)
            .WithRequestExample(Example);
    }

    /// <summary>Send a signal</summary>
    /// <remarks>
    /// Stores one buyer-intent event exactly once, matches it to a person and a company, scores it against the workspace's ICPs and
    /// personas, updates the lead, and queues the webhooks, all in one transaction. The answer comes after the commit.
    ///
    /// The same event sent again (same `signal_type`, `source`, identity and `occurred_at`, or the same idempotency key) is answered
    /// 200 with the first id and `Idempotent-Replayed: true`. Unknown fields are dropped and named in `warnings`.
    ///
    /// With `?dry_run=true` nothing is written: the answer (200, `status: "dry_run"`) tells what would happen, which canonical keys
    /// the identity has, which automations would fire and which endpoints would hear of it; it needs the scopes ingest and read.
    /// </remarks>
    /// <param name="dryRun">true: say what would happen and write nothing.</param>
    /// <param name="idempotencyKey">A key of your own for this event, at most 255 characters, quoted or bare; the same thing as the field `idempotency_key`.</param>
    internal static Task<IResult> CaptureAsync(
        HttpContext context, Caller caller, SignalDoor door, QueryFlag dryRun, [FromHeader(Name = "Idempotency-Key")] string? idempotencyKey) =>
        TakeAsync(context, caller, door, _route, dryRun.Value == true, idempotencyKey);

    /// <summary>Admission, body, checks, queue, answer: the same for every dialect.</summary>
    internal static async Task<IResult> TakeAsync(
        HttpContext context, Caller caller, SignalDoor door, DialectRoute route, bool isDryRun, string? idempotencyKey)
    {
        var settings = await door.Workspaces.GetAsync(caller.WorkspaceId);
        if (isDryRun)
        {
            RateLimitHeaders.Write(context.Response, await door.Limiter.LookAsync(caller.WorkspaceId, settings.Limits));
            return await RehearseAsync(context, caller, door.Capture, route, idempotencyKey);
        }
        if (!door.Gate.IsOpen)
        {
            return door.Refuse(signals: 1);
        }
        var admission = await door.Limiter.ReserveAsync(caller.WorkspaceId, settings.Limits, events: 1, caller.IsTest);
        if (admission.Problem is { } refused)
        {
            RateLimitHeaders.Write(context.Response, admission);
            return refused;
        }
        var captured = false;
        try
        {
            var result = await TakeInAsync(context, caller, door, route, idempotencyKey);
            captured = result is SignalAnswer { IsDuplicate: false };
            return result;
        }
        finally
        {
            // Duplicates, refusals and failures cost nothing.
            admission = captured ? admission : door.Limiter.GiveBack(admission, 1);
            RateLimitHeaders.Write(context.Response, admission);
        }
    }

    private static async Task<IResult> TakeInAsync(HttpContext context, Caller caller, SignalDoor door, DialectRoute route, string? idempotencyKey)
    {
        var (body, unreadable) = await RequestBody.ReadAsync(context);
        if (unreadable is not null)
        {
            return unreadable;
        }
        // Only now: a body that comes a byte a second takes nobody's place.
        if (!door.Gate.TryEnter(signals: 1))
        {
            return door.Refuse(signals: 1);
        }
        try
        {
            var (item, problem) = await door.Capture.CheckAsync(caller, new SentSignal(route.Read, body, idempotencyKey, IsDryRun: false));
            if (problem is not null)
            {
                return route.Refuse(problem);
            }
            var result = await door.Capture.CaptureAsync(item!);
            return result.Captured is { } signal
                ? new SignalAnswer(route.Show(item!, signal), $"{route.Path}/{Ids.Text(Ids.Signal, signal.SignalId)}", signal.IsDuplicate)
                : route.Refuse(result.Problem!);
        }
        finally
        {
            door.Gate.Leave(signals: 1);
        }
    }

    private static async Task<IResult> RehearseAsync(HttpContext context, Caller caller, SignalCapture capture, DialectRoute route, string? idempotencyKey)
    {
        if (!caller.Scopes.HasFlag(Scopes.Read))
        {
            return new Problem(ProblemCodes.MissingScope, "A dry run shows what is known of people and companies: the key needs the scopes ingest and read.");
        }
        var (body, unreadable) = await RequestBody.ReadAsync(context);
        if (unreadable is not null)
        {
            return unreadable;
        }
        var (item, problem) = await capture.CheckAsync(caller, new SentSignal(route.Read, body, idempotencyKey, IsDryRun: true));
        if (problem is not null)
        {
            return route.Refuse(problem);
        }
        var (response, failed) = await capture.RehearseAsync(item!, context.RequestAborted);
        return failed is not null ? route.Refuse(failed) : TypedResults.Json(response! with { Warnings = route.Tell(response.Warnings) }, Json.Options);
    }
}

/// <summary>What every route that takes signals in needs.</summary>
public sealed record SignalDoor(SignalCapture Capture, RateLimiter Limiter, WorkspaceDirectory Workspaces, IntakeGate Gate)
{
    /// <summary>The 503 of a request with so many signals that the gate does not let in.</summary>
    public Problem Refuse(int signals)
    {
        IntakeMetrics.CountRefused(signals);
        return Gate.Refuse();
    }
}

/// <summary>What a route for signals does in its own way.</summary>
/// <param name="Path">Where its signals are read.</param>
/// <param name="Read">From JSON to a request.</param>
/// <param name="Show">The answer.</param>
/// <param name="Refuse">A problem in the sender's words.</param>
/// <param name="Tell">Warnings in the sender's words.</param>
internal sealed record DialectRoute(
    string Path, Func<JsonElement, DateTimeOffset, SignalRequest> Read, Func<IntakeItem, CapturedSignal, object> Show,
    Func<Problem, Problem> Refuse, Func<IReadOnlyList<Warning>, IReadOnlyList<Warning>> Tell);

/// <summary>201 or 200 with the signal's answer.</summary>
internal sealed record SignalAnswer(object Response, string Location, bool IsDuplicate) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = IsDuplicate ? StatusCodes.Status200OK : StatusCodes.Status201Created;
        if (IsDuplicate)
        {
            httpContext.Response.Headers["Idempotent-Replayed"] = "true";
        }
        else
        {
            httpContext.Response.Headers.Location = Location;
        }
        using var json = JsonText.Rent();
        JsonSerializer.Serialize(json.Writer, Response, Response.GetType(), Json.Options);
        return json.SendAsync(httpContext.Response, "application/json; charset=utf-8");
    }
}

/// <summary>One event. Only for the description of the API: the body is read leniently.</summary>
/// <param name="SignalType">A declared or built-in type, in any spelling that normalises to its key.</param>
/// <param name="Source">The system the event comes from, 1–100 characters; shows in the lead's attribution.</param>
/// <param name="OccurredAt">RFC 3339 with offset, from 2000-01-01 to one hour from now; kept to the microsecond.</param>
/// <param name="EventName">Narrower than the type, at most 200 characters; sub-rules of the type can ask for it.</param>
/// <param name="Context">Any JSON object, at most 256 KB and 32 levels; usable in conditions as <c>signals.context.…</c>.</param>
/// <param name="IdempotencyKey">At most 255 characters; replaces the natural key, so an event can be sent once more on purpose.</param>
/// <param name="Backfill">true: store and score it, but fire no webhook.</param>
public sealed record SignalBody(
    [property: JsonRequired] string SignalType, [property: JsonRequired] string Source, [property: JsonRequired] DateTimeOffset OccurredAt,
    [property: JsonRequired] SignalIdentityBody Identity, string? EventName, Dictionary<string, object>? Context, string? IdempotencyKey, bool? Backfill);

/// <summary>Whom the event is about: at least one of e-mail, LinkedIn URL and company domain.</summary>
/// <param name="Email">An address, also as <c>Name &lt;a@b&gt;</c> or <c>mailto:</c>.</param>
/// <param name="Emails">Up to five further addresses.</param>
/// <param name="LinkedinUrl">The person's LinkedIn profile; a company page counts for the company.</param>
/// <param name="CompanyDomain">A domain or URL; beats the e-mail's domain.</param>
/// <param name="CompanyLinkedinUrl">The company's LinkedIn page.</param>
public sealed record SignalIdentityBody(
    string? Email, IReadOnlyList<string>? Emails, string? LinkedinUrl, string? CompanyDomain, string? CompanyLinkedinUrl,
    string? CompanyName, string? FirstName, string? LastName, string? Title, string? Phone);
