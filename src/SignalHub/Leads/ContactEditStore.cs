using Npgsql;
using SignalHub.Leads.Identity;
using SignalHub.Storage;

namespace SignalHub.Leads;

/// <summary>Writes a person as the intake does: the same locks in the same order, the same decisions, without a signal.</summary>
public sealed class ContactEditStore(Database database)
{
    // Each further attempt means that somebody made or merged this very person or company in between.
    private const int MaxAttempts = 5;

    private static readonly string[] _conflicts = [PostgresErrorCodes.UniqueViolation, PostgresErrorCodes.DeadlockDetected, PostgresErrorCodes.SerializationFailure];

    /// <summary>The contact with the identity applied as of now: found, or made. Nothing is stored where keys are in conflict or have no room.</summary>
    public async Task<ResolvedIdentity> ChangeAsync(Guid workspaceId, CanonicalIdentity identity, DateTimeOffset now, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            await using var connection = await database.OpenAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            try
            {
                var world = await LoadAsync(connection, workspaceId, identity, cancellationToken);
                if (!world.IsConsistent && attempt < MaxAttempts)
                {
                    continue;   // merged between two reads; by now the keys lead to the survivor
                }
                var resolved = IdentityResolver.Resolve(world, identity, new ResolvedSignal(workspaceId, null, Newest(world, now), now, ReadOnly: false));
                if (resolved is { Conflict: true } or { NotAttached.Count: > 0 })
                {
                    return resolved;
                }
                await using var save = new NpgsqlBatch(connection, transaction);
                IdentitySaveStore.AddTo(save, world, now);
                if (save.BatchCommands.Count > 0)
                {
                    await save.ExecuteNonQueryAsync(cancellationToken);
                }
                await transaction.CommitAsync(cancellationToken);
                return resolved;
            }
            catch (PostgresException e) when (_conflicts.Contains(e.SqlState) && attempt < MaxAttempts)
            {
                // Another writer was first: what it made is there now.
            }
        }
    }

    private static async Task<IdentityWorld> LoadAsync(
        NpgsqlConnection connection, Guid workspaceId, CanonicalIdentity identity, CancellationToken cancellationToken)
    {
        var accountKeys = identity.AccountKeys.Select(k => KeyRef.Of(workspaceId, k)).ToList();
        var contactKeys = identity.Keys.Except(identity.AccountKeys).Select(k => KeyRef.Of(workspaceId, k)).ToList();
        await using var load = new NpgsqlBatch(connection);
        IdentityLoadStore.AddTo(load, contactKeys, accountKeys);
        var world = new IdentityWorld();
        await using var reader = await load.ExecuteReaderAsync(cancellationToken);
        await IdentityLoadStore.ReadAsync(reader, world, cancellationToken);
        return world;
    }

    /// <summary>A signal's clock may be up to an hour ahead; what somebody says now counts all the same.</summary>
    private static DateTimeOffset Newest(IdentityWorld world, DateTimeOffset now) =>
        world.Contacts.Values.SelectMany(c => new[] { c.NamesAt, c.AccountAt }).Concat(world.Accounts.Values.Select(a => a.NameAt))
            .Aggregate(now, (newest, at) => at > newest ? at.Value : newest);
}
