using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using SignalHub.Http;
using SignalHub.Storage;
using SignalHub.Workspaces;

namespace SignalHub.Webhooks;

/// <summary>A subscription as automation tools make it.</summary>
public sealed record HookBody
{
    /// <summary>Where events are sent; an absolute <c>https:</c> URL on a public host.</summary>
    public string? TargetUrl { get; init; }

    /// <summary>One event type, e.g. <c>signal.qualified</c>.</summary>
    public string? Event { get; init; }

    /// <summary>What of that event is wanted; by default everything.</summary>
    public EndpointFilterBody? Filter { get; init; }

    /// <summary>For people; at most 500 characters.</summary>
    public string? Description { get; init; }
}

/// <summary>A subscription. It is an endpoint too: <c>/webhooks/endpoints/{id}</c> shows its health and all its settings.</summary>
/// <param name="Id"><c>ep_…</c>: give it back to <c>DELETE /hooks/{id}</c>.</param>
public sealed record HookView(string Id, string TargetUrl, string Event, DateTimeOffset CreatedAt);

/// <summary>REST hooks, the way Zapier and its like subscribe: no handshake, one URL for one event.</summary>
internal static class HooksApi
{
    /// <summary>Subscribes a URL to an event.</summary>
    /// <remarks>No handshake: nothing is sent before the first event. The subscription ends with `DELETE /hooks/{id}`, or when the URL answers 410.</remarks>
    internal static async Task<Results<Created<HookView>, Problem>> CreateHook(
        Caller caller, Body<HookBody> body, EndpointEditor endpoints, CancellationToken cancellationToken)
    {
        var hook = body.Value;
        if (hook.Event is not { Length: > 0 } type)
        {
            return Problem.Field(ProblemCodes.FieldRequired, "/event", $"/event: name one of {string.Join(", ", WebhookEventTypes.All)}.");
        }
        var endpoint = new EndpointBody { Url = hook.TargetUrl, Events = [type], Filter = hook.Filter, Description = hook.Description };
        var (view, problem) = await endpoints.CreateAsync(caller.WorkspaceId, endpoint, cancellationToken, EndpointOrigins.Hook);
        return problem is not null
            ? InWordsOfHooks(problem)
            : TypedResults.Created($"/webhooks/endpoints/{view!.Id}", new HookView(view.Id, view.Url, type, view.CreatedAt));
    }

    /// <summary>Ends a subscription. 204 also when there is none: it is gone either way.</summary>
    /// <param name="id">`ep_…`, as the subscription was answered.</param>
    internal static async Task<NoContent> DeleteHook(Caller caller, string id, EndpointEditor endpoints, CancellationToken cancellationToken)
    {
        if (Ids.TryParse(Ids.Endpoint, id, out var hookId))
        {
            await endpoints.DeleteAsync(caller.WorkspaceId, hookId, cancellationToken, EndpointOrigins.Hook);
        }
        return TypedResults.NoContent();
    }

    /// <summary>Shows an example of an event's data, in a list.</summary>
    /// <remarks>
    /// Made up, in the shape of the webhook's `data`: what a tool shows its users before the first event came. An event type that this
    /// version cannot raise yet has an empty list.
    /// </remarks>
    /// <param name="event">An event type; `signal.qualified` if absent.</param>
    internal static Results<Ok<IReadOnlyList<JsonElement>>, Problem> GetSamples(QueryText @event, TimeProvider clock)
    {
        var type = @event.Value ?? WebhookEventTypes.SignalQualified;
        return WebhookEventTypes.All.Contains(type)
            ? TypedResults.Ok(SampleData.Of(type, Timestamps.Truncate(clock.GetUtcNow())))
            : new Problem(ProblemCodes.InvalidQuery, $"event has to be one of {string.Join(", ", WebhookEventTypes.All)}.");
    }

    /// <summary>The problem of an endpoint with the names that hooks have for its fields.</summary>
    private static Problem InWordsOfHooks(Problem problem)
    {
        static string Rename(string text) => text.StartsWith("/url", StringComparison.Ordinal) ? "/target_url" + text["/url".Length..]
            : text.StartsWith("/events/0", StringComparison.Ordinal) ? "/event" + text["/events/0".Length..]
            : text;
        return new Problem(problem.Code, Rename(problem.Detail), [.. problem.Errors.Select(e => new FieldError(Rename(e.Pointer), e.Code, Rename(e.Detail)))])
        {
            Extensions = problem.Extensions,
        };
    }
}
