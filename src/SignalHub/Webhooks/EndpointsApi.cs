using Microsoft.AspNetCore.Http.HttpResults;
using SignalHub.Http;
using SignalHub.Storage;
using SignalHub.Webhooks.Delivery;
using SignalHub.Workspaces;

namespace SignalHub.Webhooks;

/// <summary>Routes of webhook endpoints: where events are sent, and which.</summary>
internal static class EndpointsApi
{
    /// <summary>Lists the workspace's webhook endpoints, newest first.</summary>
    internal static async Task<Ok<Page<EndpointView>>> ListEndpoints(
        HttpContext context, Caller caller, PageRequest page, EndpointStore endpoints, TimeProvider clock, CancellationToken cancellationToken)
    {
        var rows = await endpoints.ListAsync(caller.WorkspaceId, page, cancellationToken);
        var found = page.ToPage(context, rows, row => (row.CreatedAt, row.Id));
        return TypedResults.Ok(new Page<EndpointView>([.. found.Data.Select(row => EndpointView.Of(row, clock.GetUtcNow()))], found.NextCursor, found.Next));
    }

    /// <summary>Creates a webhook endpoint. Only this answer and that of a rotation show the signing secret.</summary>
    /// <remarks>
    /// By default the endpoint gets every <c>signal.qualified</c> event, as JSON; with <c>"format": "slack"</c> it gets messages that an
    /// incoming-webhook URL of Slack takes. The URL has to be https on a public host; a name is
    /// looked up and its addresses are checked when something is sent.
    /// </remarks>
    internal static async Task<Results<Created<EndpointView>, Problem>> CreateEndpoint(
        Caller caller, Body<EndpointBody> body, EndpointEditor endpoints, CancellationToken cancellationToken)
    {
        var (view, problem) = await endpoints.CreateAsync(caller.WorkspaceId, body.Value, cancellationToken);
        return problem is not null ? problem : TypedResults.Created($"/webhooks/endpoints/{view!.Id}", view);
    }

    /// <summary>Shows a webhook endpoint with its health.</summary>
    /// <param name="id"><c>ep_…</c></param>
    internal static async Task<Results<Ok<EndpointView>, Problem>> GetEndpoint(
        Caller caller, string id, EndpointStore endpoints, TimeProvider clock, CancellationToken cancellationToken) =>
        Ids.TryParse(Ids.Endpoint, id, out var endpointId) && await endpoints.FindAsync(caller.WorkspaceId, endpointId, cancellationToken) is { } found
            ? TypedResults.Ok(EndpointView.Of(found, clock.GetUtcNow()))
            : NotFound(id);

    /// <summary>Replaces a webhook endpoint's fields; what is left out goes back to its default. The secret stays unless one is given.</summary>
    /// <remarks>A secret in the body replaces the present one at once; to keep both for a while, rotate.</remarks>
    /// <param name="id"><c>ep_…</c></param>
    internal static async Task<Results<Ok<EndpointView>, Problem>> PutEndpoint(
        Caller caller, string id, Body<EndpointBody> body, EndpointEditor endpoints, CancellationToken cancellationToken) =>
        Ids.TryParse(Ids.Endpoint, id, out var endpointId)
            ? Answer(await endpoints.PutAsync(caller.WorkspaceId, endpointId, body.Value, cancellationToken), id)
            : NotFound(id);

    /// <summary>Changes some fields of a webhook endpoint (JSON merge patch).</summary>
    /// <remarks>
    /// <c>{"enabled": false}</c> stops it: what waits ends as skipped, and so does what happens meanwhile. <c>{"enabled": true}</c>
    /// starts it again and answers in <c>skipped</c> how many events it missed.
    /// </remarks>
    /// <param name="id"><c>ep_…</c></param>
    internal static async Task<Results<Ok<EndpointView>, Problem>> PatchEndpoint(
        Caller caller, string id, Patch patch, EndpointEditor endpoints, CancellationToken cancellationToken) =>
        Ids.TryParse(Ids.Endpoint, id, out var endpointId)
            ? Answer(await endpoints.PatchAsync(caller.WorkspaceId, endpointId, patch, cancellationToken), id)
            : NotFound(id);

    /// <summary>Deletes a webhook endpoint. Its waiting deliveries end as skipped; the delivery log stays.</summary>
    /// <param name="id"><c>ep_…</c></param>
    internal static async Task<Results<NoContent, Problem>> DeleteEndpoint(
        Caller caller, string id, EndpointEditor endpoints, EndpointStore stored, CancellationToken cancellationToken) =>
        !Ids.TryParse(Ids.Endpoint, id, out var endpointId) ? NotFound(id)
        : await endpoints.DeleteAsync(caller.WorkspaceId, endpointId, cancellationToken) ? TypedResults.NoContent()
        : await stored.FindAsync(caller.WorkspaceId, endpointId, cancellationToken) is { Origin: EndpointOrigins.Automation }
            ? new Problem(ProblemCodes.InUse, "This endpoint belongs to an automation: change or delete the automation.")
            : NotFound(id);

    /// <summary>Replaces the signing secret. The old one signs too until the grace period ends or the rotation is finished.</summary>
    /// <remarks>During the grace <c>webhook-signature</c> has one value for each secret; the hex header is that of the old one.</remarks>
    /// <param name="id"><c>ep_…</c></param>
    internal static async Task<Results<Created<EndpointView>, Problem>> RotateEndpointSecret(
        Caller caller, string id, OptionalBody<RotateBody> body, EndpointEditor endpoints, CancellationToken cancellationToken)
    {
        if (!Ids.TryParse(Ids.Endpoint, id, out var endpointId))
        {
            return NotFound(id);
        }
        var (view, problem) = await endpoints.RotateAsync(caller.WorkspaceId, endpointId, body.Value, cancellationToken);
        return view is not null ? TypedResults.Created($"/webhooks/endpoints/{view.Id}", view) : problem ?? NotFound(id);
    }

    /// <summary>Ends the grace period of the last rotation now: only the new secret signs.</summary>
    /// <param name="id"><c>ep_…</c></param>
    internal static async Task<Results<Ok<EndpointView>, Problem>> FinishEndpointRotation(
        Caller caller, string id, EndpointEditor endpoints, CancellationToken cancellationToken) =>
        Ids.TryParse(Ids.Endpoint, id, out var endpointId) && await endpoints.FinishRotationAsync(caller.WorkspaceId, endpointId, cancellationToken) is { } view
            ? TypedResults.Ok(view)
            : NotFound(id);

    /// <summary>Sends a <c>test</c> event now and answers what came of it. 200 also when the receiver failed: see <c>state</c>.</summary>
    /// <remarks>Same signing, guard and limits as a real delivery; sent once, also while the endpoint is disabled, and kept in the delivery log.</remarks>
    /// <param name="id"><c>ep_…</c></param>
    internal static async Task<Results<Ok<TestSendView>, Problem>> TestEndpoint(
        Caller caller, string id, TestSend test, DeliveryLogStore log, CancellationToken cancellationToken)
    {
        if (!Ids.TryParse(Ids.Endpoint, id, out var endpointId)
            || await test.SendAsync(caller.WorkspaceId, endpointId, cancellationToken) is not { } sent)
        {
            return NotFound(id);
        }
        // Read back, so that the answer is what the log shows from now on.
        var delivery = await log.FindAsync(caller.WorkspaceId, sent.DeliveryId, cancellationToken);
        var attempts = await log.AttemptsAsync(caller.WorkspaceId, sent.DeliveryId, cancellationToken);
        return TypedResults.Ok(TestSendView.Of(delivery!, attempts[0]));
    }

    private static Results<Ok<EndpointView>, Problem> Answer((EndpointView? View, Problem? Problem) result, string id) =>
        result.View is { } view ? TypedResults.Ok(view) : result.Problem ?? NotFound(id);

    private static Problem NotFound(string id) => Problem.NotFound($"The webhook endpoint {id}");
}
