using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using SignalHub.Http;
using SignalHub.Storage;
using SignalHub.Workspaces;

namespace SignalHub.Signals.V1;

/// <summary>The dialect of Stairoids: account and contact, free-form types, the same pipeline.</summary>
public static class V1SignalsApi
{
    private const string Example = """
        {"type": "invoice_overdue", "source": "billing",
         "account": {"domain": "northwind.example", "name": "Northwind"},
         "contact": {"email": "sam@northwind.example", "first_name": "Sam", "last_name": "Vimes"},
         "properties": {"days": 12, "amount": 4200}}
        """;

    private static readonly DialectRoute _route = new("/v1/signals", V1Request.Read, V1SignalResponse.Of, V1Names.Translate, V1Names.Translate);

    public static void MapV1Signals(this IEndpointRouteBuilder routes)
    {
        var signals = routes.MapGroup("/v1/signals").WithTags("Signals (v1)");
        signals.MapPost("/", SendSignal)
            .RequireScope(Scopes.Ingest)
            .WithMetadata(new DescribedBody(typeof(V1SignalBody)))
            .Produces<V1SignalResponse>(StatusCodes.Status201Created)
            .Produces<V1SignalResponse>(StatusCodes.Status200OK)
            .ProducesProblems(400, 401, 403, 413, 415, 422, 429, 503)
            .WithRequestExample(Example);
        signals.MapGet("/{id}", GetSignal).RequireScope(Scopes.Read).Produces<V1SignalView>().ProducesProblems(401, 403, 404, 503);
    }

    /// <summary>Send a signal with an account and a contact</summary>
    /// <remarks>
    /// The same pipeline as `POST /signals`, for clients of Stairoids. Any `type` is taken: one that is not known is declared by its first
    /// signal (`origin: "auto"`), up to a number for each workspace. A company is found by its domain, else by the contact's e-mail
    /// domain, else by its name; a person by e-mail. Without either the signal is stored, and belongs to no lead.
    ///
    /// Without `occurred_at` a signal happened when it was received, and the same body sent twice is two signals: send an idempotency
    /// key (field or header) to make retries safe. With `occurred_at` the same event sent again is answered 200 with the first id and
    /// `Idempotent-Replayed: true`. One key space with `POST /signals`.
    ///
    /// With `?dry_run=true` nothing is written, not even the type: the answer is that of a dry run of `POST /signals`.
    /// </remarks>
    /// <param name="dryRun">true: say what would happen and write nothing.</param>
    /// <param name="idempotencyKey">A key of your own for this event, at most 255 characters, quoted or bare; the same thing as the field `idempotency_key`.</param>
    internal static Task<IResult> SendSignal(
        HttpContext context, Caller caller, SignalDoor door, QueryFlag dryRun, [FromHeader(Name = "Idempotency-Key")] string? idempotencyKey) =>
        SignalsApi.TakeAsync(context, caller, door, _route, dryRun.Value == true, idempotencyKey);

    /// <summary>Shows a signal with its account and contact</summary>
    /// <param name="id">`sig_…`</param>
    internal static async Task<Results<Ok<V1SignalView>, Problem>> GetSignal(
        Caller caller, string id, SignalStore signals, CancellationToken cancellationToken)
    {
        if (!Ids.TryParse(Ids.Signal, id, out var signalId)
            || await signals.FindAsSentAsync(caller.WorkspaceId, signalId, cancellationToken) is not { } found)
        {
            return Problem.NotFound("The signal");
        }
        return caller.IsTest && found.Signal.Mode != Caller.Test
            ? SignalsReadApi.LiveKeyRequired
            : TypedResults.Ok(V1SignalView.Of(found.Signal, found.TypeSent));
    }
}

/// <summary>One event. Only for the description of the API: the body is read leniently.</summary>
/// <param name="Type">Any text with a letter or digit in it; signals with the same letters and digits are of one type.</param>
/// <param name="Source">The system the event comes from, 1–100 characters; shows in the lead's attribution.</param>
/// <param name="Properties">Any JSON object, at most 256 KB and 32 levels; usable in conditions as <c>signal.properties.…</c>.</param>
/// <param name="OccurredAt">RFC 3339 with offset, from 2000-01-01 to one hour from now; when it was received if absent.</param>
/// <param name="IdempotencyKey">At most 255 characters: the same key is the same signal.</param>
/// <param name="EventName">Narrower than the type, at most 200 characters.</param>
/// <param name="Backfill">true: store and score it, but fire no webhook.</param>
public sealed record V1SignalBody(
    [property: JsonRequired] string Type, [property: JsonRequired] string Source, V1AccountBody? Account, V1ContactBody? Contact,
    Dictionary<string, object>? Properties, DateTimeOffset? OccurredAt, string? IdempotencyKey, string? EventName, bool? Backfill);

/// <summary>The company.</summary>
/// <param name="Domain">A domain or URL.</param>
/// <param name="Name">Names it; finds it where there is no domain.</param>
/// <param name="LinkedinUrl">Its LinkedIn page.</param>
public sealed record V1AccountBody(string? Domain, string? Name, string? LinkedinUrl);

/// <summary>The person.</summary>
/// <param name="Email">An address, also as <c>Name &lt;a@b&gt;</c> or <c>mailto:</c>.</param>
/// <param name="LinkedinUrl">Their LinkedIn profile.</param>
public sealed record V1ContactBody(string? Email, string? FirstName, string? LastName, string? Title, string? Phone, string? LinkedinUrl);
