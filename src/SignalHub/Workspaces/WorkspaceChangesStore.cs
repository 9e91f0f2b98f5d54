using SignalHub.Storage;

namespace SignalHub.Workspaces;

/// <summary>What changed lately.</summary>
/// <param name="AsOf">The database's clock.</param>
internal sealed record RecentChanges(DateTimeOffset AsOf, IReadOnlyList<(Guid WorkspaceId, long Version)> Workspaces);

/// <summary>Versions of workspaces in PostgreSQL.</summary>
public sealed class WorkspaceChangesStore(Database database)
{
    /// <summary>Workspaces changed after that instant of the database's clock; null: in the last <paramref name="overlap"/>.</summary>
    /// <param name="since">When the last look was.</param>
    /// <param name="overlap">How much earlier to begin: a change is stamped before it is committed.</param>
    /// <param name="cancellationToken">Ends the query.</param>
    internal async Task<RecentChanges> SinceAsync(DateTimeOffset? since, TimeSpan overlap, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand("""
            select clock_timestamp(), w.id, w.version from (select) as once
              left join workspaces w on w.changed_at > coalesce(@since, clock_timestamp()) - @overlap
            """);
        command.Parameters.AddWithValue("since", NpgsqlTypes.NpgsqlDbType.TimestampTz, (object?)since ?? DBNull.Value);
        command.Parameters.AddWithValue("overlap", overlap);
        var changed = new List<(Guid, long)>();
        var asOf = DateTimeOffset.MinValue;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            asOf = asOf == DateTimeOffset.MinValue ? reader.GetFieldValue<DateTimeOffset>(0) : asOf;
            if (!reader.IsDBNull(1))
            {
                changed.Add((reader.GetGuid(1), reader.GetInt64(2)));
            }
        }
        return new RecentChanges(asOf, changed);
    }
}
