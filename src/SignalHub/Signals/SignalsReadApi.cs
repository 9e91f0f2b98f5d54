using Microsoft.AspNetCore.Http.HttpResults;
using SignalHub.Http;
using SignalHub.Leads;
using SignalHub.Qualification;
using SignalHub.Resources;
using SignalHub.SignalTypes;
using SignalHub.Storage;
using SignalHub.Webhooks;
using SignalHub.Workspaces;

namespace SignalHub.Signals;

/// <summary>Asking for signals. Taking them in is in <see cref="SignalsApi"/>.</summary>
public static class SignalsReadApi
{
    private const int NearestTypes = 3;

    internal static readonly Problem LiveKeyRequired =
        new(ProblemCodes.LiveKeyRequired, "A test key reads test signals only: use a live key (sk_live_…).");

    public static IServiceCollection AddSignalReads(this IServiceCollection services) => services.AddSingleton<SignalStore>();

    public static void MapSignalReads(this IEndpointRouteBuilder routes)
    {
        var signals = routes.MapGroup("/signals").WithTags("Signals").RequireScope(Scopes.Read);
        signals.MapGet("/", ListSignals).RefuseUnknownParameters().Produces<Page<SignalView>>().ProducesProblems(400, 401, 403, 503);
        signals.MapGet("/sample", GetSample).RefuseUnknownParameters().Produces<SignalData>().ProducesProblems(400, 401, 403, 404, 503);
        signals.MapGet("/{id}", GetSignal).Produces<SignalView>().ProducesProblems(401, 403, 404, 503);
        signals.MapGet("/{id}/qualification", GetSignalQualification).Produces<QualificationView>().ProducesProblems(401, 403, 404, 503);
        DescribeTimeline(routes.MapGet("/leads/{id}/timeline", GetTimeline), "Leads");
        DescribeTimeline(routes.MapGet("/accounts/{id}/timeline", GetAccountTimeline), "Accounts and contacts");
        DescribeTimeline(routes.MapGet("/contacts/{id}/timeline", GetContactTimeline), "Accounts and contacts");
    }

    private static void DescribeTimeline(RouteHandlerBuilder route, string tag) =>
        route.WithTags(tag).RequireScope(Scopes.Read, liveOnly: true).RefuseUnknownParameters().Produces<Page<SignalView>>().ProducesProblems(400, 401, 403, 404, 503);

    /// <summary>Lists signals, newest first by receipt.</summary>
    /// <remarks>
    /// Live signals, unless `mode` says otherwise; a test key sees test signals only. Filters add up. The more narrowly
    /// `occurred_since` and `occurred_until` bound the list, the less has to be looked through.
    /// </remarks>
    /// <param name="type">Only signals of that type: its key, or a built-in type's alias.</param>
    /// <param name="signalType">The same as `type`.</param>
    /// <param name="source">Only signals of that source.</param>
    /// <param name="bucket">Only signals in that bucket.</param>
    /// <param name="eventName">Only signals with that event name.</param>
    /// <param name="qualified">Only signals that qualified (true) or did not (false).</param>
    /// <param name="leadId">Only signals of that lead (`lead_…`).</param>
    /// <param name="accountId">Only signals about that company (`acc_…`).</param>
    /// <param name="contactId">Only signals about that person (`con_…`).</param>
    /// <param name="since">Only signals received at or after that time: RFC 3339, or a date.</param>
    /// <param name="until">Only signals received before that time: RFC 3339, or a date.</param>
    /// <param name="occurredSince">Only signals that occurred at or after that time: RFC 3339, or a date.</param>
    /// <param name="occurredUntil">Only signals that occurred before that time: RFC 3339, or a date.</param>
    /// <param name="mode">`live` or `test`; the mode of the key if absent.</param>
    internal static async Task<Results<Ok<Page<SignalView>>, Problem>> ListSignals(
        HttpContext context, Caller caller, PageRequest page, SignalStore signals, WorkspaceSnapshots<SignalTypeSet> types,
        QueryText type, QueryText signalType, QueryText source, QueryText bucket, QueryText eventName, QueryFlag qualified,
        QueryText leadId, QueryText accountId, QueryText contactId, QueryInstant since, QueryInstant until,
        QueryInstant occurredSince, QueryInstant occurredUntil, QueryText mode, CancellationToken cancellationToken)
    {
        if (ModeOf(caller, mode.Value, out var wantedMode) is { } refused)
        {
            return refused;
        }
        string? typeKey = null;
        if ((type.Value ?? signalType.Value) is { } sent)
        {
            typeKey = (await types.GetAsync(caller.WorkspaceId)).Find(sent)?.Key ?? TypeKey.Normalise(sent);
            if (typeKey is null)
            {
                return new Problem(ProblemCodes.InvalidQuery, $"{(type.Value is null ? "signal_type" : "type")} must be a signal type, e.g. custom_event.");
            }
        }
        if (IdOf(Ids.Lead, "lead_id", leadId, out var lead) is { } badLead)
        {
            return badLead;
        }
        if (IdOf(Ids.Account, "account_id", accountId, out var account) is { } badAccount)
        {
            return badAccount;
        }
        if (IdOf(Ids.Contact, "contact_id", contactId, out var contact) is { } badContact)
        {
            return badContact;
        }
        var filter = new SignalFilter(wantedMode, typeKey, source.Value, bucket.Value, eventName.Value, qualified.Value, lead, account, contact,
            since.Value, until.Value, occurredSince.Value, occurredUntil.Value);
        return TypedResults.Ok(page.ToPage(context, await signals.ListAsync(caller.WorkspaceId, filter, page, cancellationToken)));
    }

    /// <summary>Shows a signal.</summary>
    /// <param name="id">`sig_…`</param>
    internal static async Task<Results<Ok<SignalView>, Problem>> GetSignal(
        Caller caller, string id, SignalStore signals, CancellationToken cancellationToken)
    {
        if (!Ids.TryParse(Ids.Signal, id, out var signalId)
            || await signals.FindAsync(caller.WorkspaceId, signalId, cancellationToken) is not { } signal)
        {
            return Problem.NotFound("The signal");
        }
        return caller.IsTest && signal.Mode != Caller.Test ? LiveKeyRequired : TypedResults.Ok(signal);
    }

    /// <summary>Explains a signal's scores.</summary>
    /// <remarks>What was seen and scored when the signal was received, criterion by criterion; never changed afterwards.</remarks>
    /// <param name="id">`sig_…`</param>
    internal static async Task<Results<Ok<QualificationView>, Problem>> GetSignalQualification(
        Caller caller, string id, SignalStore signals, CancellationToken cancellationToken)
    {
        if (!Ids.TryParse(Ids.Signal, id, out var signalId)
            || await signals.QualificationAsync(caller.WorkspaceId, signalId, cancellationToken) is not { } found)
        {
            return Problem.NotFound("The signal");
        }
        if (caller.IsTest && found.Mode != Caller.Test)
        {
            return LiveKeyRequired;
        }
        return found.Compact is { } compact ? TypedResults.Ok(QualificationView.Read(compact)) : Problem.NotFound("A qualification of the signal");
    }

    /// <summary>Shows an example of a signal, in the shape of webhook data.</summary>
    /// <remarks>A made-up signal about a person and a company that do not exist: something to map fields on before the first real one came.</remarks>
    /// <param name="type">The type it shows: a key, or a built-in type's alias; `custom_event` if absent.</param>
    internal static async Task<Results<Ok<SignalData>, Problem>> GetSample(
        Caller caller, QueryText type, WorkspaceSnapshots<SignalTypeSet> types, TimeProvider time)
    {
        var sent = type.Value ?? "custom_event";
        var set = await types.GetAsync(caller.WorkspaceId);
        if (set.Find(sent) is null)
        {
            // Another node may have declared it a moment ago.
            set = await types.ReloadAsync(caller.WorkspaceId);
        }
        return set.Find(sent) is { } known
            ? TypedResults.Ok(SampleSignal.Of(Timestamps.Truncate(time.GetUtcNow())) with { SignalType = known.Key, Mode = caller.Mode })
            : new Problem(ProblemCodes.NotFound,
                $"There is no such signal type in this workspace. Closest are {string.Join(", ", set.Nearest(sent, NearestTypes))}.");
    }

    /// <summary>Lists a lead's signals, newest first by occurrence.</summary>
    /// <remarks>Live signals of the lead and of the leads that were merged into it.</remarks>
    /// <param name="id">`lead_…`</param>
    internal static async Task<Results<Ok<Page<SignalView>>, Problem>> GetTimeline(
        HttpContext context, Caller caller, string id, PageRequest page, SignalStore signals, CancellationToken cancellationToken) =>
        Ids.TryParse(Ids.Lead, id, out var leadId) && await signals.TimelineAsync(caller.WorkspaceId, leadId, page, cancellationToken) is { } rows
            ? TypedResults.Ok(page.ToPage(context, rows))
            : Problem.NotFound("The lead");

    /// <summary>Lists a company's signals, newest first by occurrence.</summary>
    /// <remarks>Live signals that were about this company, or one that was merged into it, when they came; with a person or without.</remarks>
    /// <param name="id">`acc_…`, or a domain of the company.</param>
    internal static async Task<Results<Ok<Page<SignalView>>, Problem>> GetAccountTimeline(
        HttpContext context, Caller caller, string id, PageRequest page, ProfileFinder profiles, SignalStore signals, CancellationToken cancellationToken) =>
        await profiles.AccountAsync(caller.WorkspaceId, id, cancellationToken) is { } account && Ids.TryParse(Ids.Account, account.Id, out var accountId)
            ? TypedResults.Ok(page.ToPage(context, await signals.TimelineOfAccountAsync(caller.WorkspaceId, accountId, page, cancellationToken)))
            : Problem.NotFound("The account");

    /// <summary>Lists a person's signals, newest first by occurrence.</summary>
    /// <remarks>Live signals of the person and of those who were merged into them.</remarks>
    /// <param name="id">`con_…`, or an e-mail address of the person.</param>
    internal static async Task<Results<Ok<Page<SignalView>>, Problem>> GetContactTimeline(
        HttpContext context, Caller caller, string id, PageRequest page, ProfileFinder profiles, SignalStore signals, CancellationToken cancellationToken) =>
        await profiles.ContactAsync(caller.WorkspaceId, id, cancellationToken) is { } contact && Ids.TryParse(Ids.Contact, contact.Id, out var contactId)
            ? TypedResults.Ok(page.ToPage(context, await signals.TimelineOfContactAsync(caller.WorkspaceId, contactId, page, cancellationToken)))
            : Problem.NotFound("The contact");

    private static Problem? ModeOf(Caller caller, string? asked, out string mode)
    {
        mode = asked ?? caller.Mode;
        if (mode is not (Caller.Live or Caller.Test))
        {
            return new Problem(ProblemCodes.InvalidQuery, $"mode must be {Caller.Live} or {Caller.Test}.");
        }
        return caller.IsTest && mode != Caller.Test ? LiveKeyRequired : null;
    }

    private static Problem? IdOf(string prefix, string name, QueryText given, out Guid? id)
    {
        id = null;
        if (given.Value is null)
        {
            return null;
        }
        if (!Ids.TryParse(prefix, given.Value, out var parsed))
        {
            return new Problem(ProblemCodes.InvalidQuery, $"{name} must be an id that begins with {prefix}.");
        }
        id = parsed;
        return null;
    }
}
