using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using SignalHub.Http;
using SignalHub.Workspaces;

namespace SignalHub.Webhooks;

/// <summary>Several endpoints to be made at once.</summary>
public sealed record BulkEndpointsBody
{
    /// <summary>1–25 endpoints, each as <c>POST /webhooks/endpoints</c> takes it.</summary>
    public IReadOnlyList<JsonElement>? Endpoints { get; init; }
}

/// <summary>What became of each endpoint, in the order of the request.</summary>
public sealed record BulkEndpointsView(int Created, int Rejected, IReadOnlyList<BulkEndpointResult> Results);

/// <summary>What became of one endpoint.</summary>
/// <param name="Index">Its place in the request, from 0.</param>
/// <param name="Status"><c>created</c> or <c>rejected</c>.</param>
/// <param name="Endpoint">With its secret, which is not shown again; null when rejected.</param>
/// <param name="Error">The problem; pointers begin at the request. Null when created.</param>
public sealed record BulkEndpointResult(
    int Index, string Status, EndpointView? Endpoint, [property: JsonConverter(typeof(ProblemConverter))] Problem? Error);

/// <summary>The route that makes several endpoints.</summary>
internal static class BulkEndpointsApi
{
    private const int MostEndpoints = 25;

    /// <summary>Creates up to 25 webhook endpoints. One that is refused does not keep the others out.</summary>
    /// <remarks>201 when all were created, 207 when some were, 422 when none was; `results` has one entry for each, in order.</remarks>
    internal static async Task<Results<JsonHttpResult<BulkEndpointsView>, Problem>> CreateEndpoints(
        Caller caller, Body<BulkEndpointsBody> body, EndpointEditor endpoints, CancellationToken cancellationToken)
    {
        if (body.Value.Endpoints is not { Count: > 0 } items)
        {
            return Problem.Field(ProblemCodes.FieldRequired, "/endpoints", $"/endpoints: give 1 to {MostEndpoints} endpoints.");
        }
        if (items.Count > MostEndpoints)
        {
            return Problem.Field(ProblemCodes.TooLong, "/endpoints", $"/endpoints: at most {MostEndpoints} endpoints in one request.");
        }
        var results = new List<BulkEndpointResult>(items.Count);
        for (var i = 0; i < items.Count; i++)
        {
            var (view, problem) = await CreateAsync(caller.WorkspaceId, items[i], endpoints, cancellationToken);
            results.Add(new BulkEndpointResult(i, problem is null ? "created" : "rejected", view, problem?.Under($"/endpoints/{i}")));
        }
        var created = results.Count(r => r.Endpoint is not null);
        var status = created == items.Count ? StatusCodes.Status201Created
            : created > 0 ? StatusCodes.Status207MultiStatus
            : StatusCodes.Status422UnprocessableEntity;
        return TypedResults.Json(new BulkEndpointsView(created, items.Count - created, results), Json.Options, statusCode: status);
    }

    private static async Task<(EndpointView?, Problem?)> CreateAsync(
        Guid workspaceId, JsonElement item, EndpointEditor endpoints, CancellationToken cancellationToken)
    {
        if (item.ValueKind != JsonValueKind.Object)
        {
            return (null, Problem.Field(ProblemCodes.InvalidType, "", "An endpoint has to be an object."));
        }
        var (endpoint, problem) = StrictJson.Read<EndpointBody>(JsonMarshal.GetRawUtf8Value(item));
        return problem is null ? await endpoints.CreateAsync(workspaceId, endpoint!, cancellationToken) : (null, problem);
    }
}
