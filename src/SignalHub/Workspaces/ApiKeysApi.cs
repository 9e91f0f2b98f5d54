using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using SignalHub.Http;
using SignalHub.Storage;

namespace SignalHub.Workspaces;

/// <summary>API keys of the caller's workspace.</summary>
internal static class ApiKeysApi
{
    public static void MapApiKeys(this IEndpointRouteBuilder routes)
    {
        var keys = routes.MapGroup("/api-keys").WithTags("API keys").RequireScope(Scopes.Manage, liveOnly: true).ProducesProblems(401, 403, 503);
        keys.MapPost("/", CreateApiKey).Validate<ApiKeyBody>().ProducesProblems(400, 413, 415, 422)
            .WithRequestExample("""{"name":"zapier","scopes":["ingest"],"mode":"live","expires_at":null}""");
        keys.MapGet("/", ListApiKeys).ProducesProblems(400);
        keys.MapGet("/{id}", GetApiKey).ProducesProblems(404);
        keys.MapPatch("/{id}", PatchApiKey).ProducesProblems(400, 404, 413, 415, 422).WithRequestExample("""{"name":"make"}""");
        keys.MapPost("/{id}/rotate", RotateApiKey).Validate<RotationBody>().ProducesProblems(400, 404, 409, 413, 415, 422)
            .WithRequestExample("""{"grace_period_hours":24}""");
        keys.MapDelete("/{id}", RevokeApiKey).ProducesProblems(404);
    }

    /// <summary>Create an API key</summary>
    /// <remarks>The secret is shown here only. A key can grant only scopes that it has itself.</remarks>
    internal static async Task<Results<Created<ApiKeySecretView>, Problem>> CreateApiKey(
        Caller caller, Body<ApiKeyBody> body, ApiKeyStore store, TimeProvider time, CancellationToken cancellationToken)
    {
        var wanted = body.Value;
        var grant = new KeyGrant(wanted.Name!.Trim(), ScopeNames.Parse(wanted.Scopes!), wanted.Mode == Caller.Test, wanted.ExpiresAt);
        if (CheckGrant(caller, grant.Scopes) is { } problem)
        {
            return problem;
        }
        var created = ApiKeySecretView.Of(await store.CreateAsync(caller.WorkspaceId, grant, time.GetUtcNow(), cancellationToken));
        return TypedResults.Created($"/api-keys/{created.Id}", created);
    }

    /// <summary>List API keys</summary>
    /// <remarks>Newest first, revoked and expired keys included; without secrets.</remarks>
    internal static async Task<Ok<Page<ApiKeyView>>> ListApiKeys(
        HttpContext context, Caller caller, PageRequest page, ApiKeyStore store, TimeProvider time, CancellationToken cancellationToken)
    {
        var found = page.ToPage(context, await store.ListAsync(caller.WorkspaceId, page, cancellationToken), key => (key.CreatedAt, key.Id));
        var now = time.GetUtcNow();
        return TypedResults.Ok(new Page<ApiKeyView>([.. found.Data.Select(key => ApiKeyView.Of(key, now))], found.NextCursor, found.Next));
    }

    /// <summary>Get an API key</summary>
    /// <param name="id">The key's id (`key_…`).</param>
    internal static async Task<Results<Ok<ApiKeyView>, Problem>> GetApiKey(
        Caller caller, string id, ApiKeyStore store, TimeProvider time, CancellationToken cancellationToken) =>
        await FindAsync(caller, id, store, cancellationToken) is { } key ? TypedResults.Ok(ApiKeyView.Of(key, time.GetUtcNow())) : NoKey(id);

    /// <summary>Rename an API key</summary>
    /// <remarks>JSON merge patch. Scopes and mode of a key never change: make another key.</remarks>
    /// <param name="id">The key's id (`key_…`).</param>
    internal static async Task<Results<Ok<ApiKeyView>, Problem>> PatchApiKey(
        Caller caller, string id, Patch patch, IValidator<ApiKeyName> validator, ApiKeyStore store, TimeProvider time,
        CancellationToken cancellationToken)
    {
        if (await FindAsync(caller, id, store, cancellationToken) is not { } key)
        {
            return NoKey(id);
        }
        var (wanted, problem) = patch.ApplyTo(new ApiKeyName { Name = key.Grant.Name });
        problem ??= validator.Check(wanted!);
        if (problem is not null)
        {
            return problem;
        }
        var name = wanted!.Name!.Trim();
        await store.RenameAsync(caller.WorkspaceId, key.Id, name, cancellationToken);
        return TypedResults.Ok(ApiKeyView.Of(key with { Grant = key.Grant with { Name = name } }, time.GetUtcNow()));
    }

    /// <summary>Rotate an API key</summary>
    /// <remarks>
    /// Answers a new key with the same name, scopes, mode and expiry; its secret is shown here only. The old key goes on working
    /// for the grace period. A key that is revoked, expired or rotated already is a 409.
    /// </remarks>
    /// <param name="id">The key's id (`key_…`).</param>
    internal static async Task<Results<Created<ApiKeySecretView>, Problem>> RotateApiKey(
        Caller caller, string id, OptionalBody<RotationBody> body, ApiKeyStore store, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await FindAsync(caller, id, store, cancellationToken) is not { } key)
        {
            return NoKey(id);
        }
        // Else a key could get the scopes it lacks by rotating one that has them.
        if (CheckGrant(caller, key.Grant.Scopes) is { } problem)
        {
            return problem;
        }
        var grace = TimeSpan.FromHours(body.Value.GracePeriodHours!.Value);
        if (await store.RotateAsync(key, grace, time.GetUtcNow(), cancellationToken) is not { } rotated)
        {
            return CannotRotate((await FindAsync(caller, id, store, cancellationToken))!);
        }
        var created = ApiKeySecretView.Of(rotated);
        return TypedResults.Created($"/api-keys/{created.Id}", created);
    }

    /// <summary>Revoke an API key</summary>
    /// <remarks>Takes effect at once on this node and within a second on others. Revoking it again changes nothing; the key stays listed.</remarks>
    /// <param name="id">The key's id (`key_…`).</param>
    internal static async Task<Results<NoContent, Problem>> RevokeApiKey(
        Caller caller, string id, ApiKeyStore store, TimeProvider time, CancellationToken cancellationToken) =>
        Ids.TryParse(Ids.ApiKey, id, out var keyId) && await store.RevokeAsync(caller.WorkspaceId, keyId, time.GetUtcNow(), cancellationToken)
            ? TypedResults.NoContent()
            : NoKey(id);

    private static async Task<StoredKey?> FindAsync(Caller caller, string id, ApiKeyStore store, CancellationToken cancellationToken) =>
        Ids.TryParse(Ids.ApiKey, id, out var keyId) ? await store.FindAsync(caller.WorkspaceId, keyId, cancellationToken) : null;

    private static Problem? CheckGrant(Caller caller, Scopes wanted)
    {
        var missing = wanted & ~caller.Scopes;
        return missing == Scopes.None ? null : new Problem(ProblemCodes.MissingScope,
            $"The API key lacks the scope {string.Join(", ", ScopeNames.List(missing))}, and a key can grant only scopes that it has itself.");
    }

    private static Problem CannotRotate(StoredKey key) => new(ProblemCodes.Conflict, key switch
    {
        { RevokedAt: not null } => "The API key was revoked and cannot be rotated: create a new one with POST /api-keys.",
        { RotatedTo: { } next } => $"The API key was rotated already: rotate the one that replaced it, {Ids.Text(Ids.ApiKey, next)}.",
        _ => "The API key has expired and cannot be rotated: create a new one with POST /api-keys.",
    });

    private static Problem NoKey(string id) => Problem.NotFound($"The API key {id}");
}
