using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.DependencyInjection;
using SignalHub.Storage;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Storage;

/// <summary>The schema is made by SQL files, so nothing but this keeps the EF model in step with it.</summary>
public sealed class MappingTests
{
    // Of the migrator alone.
    private const string MigrationsTable = "schema_migrations";

    [Fact]
    public async Task The_model_is_the_schema()
    {
        await using var database = new Database(await TestPostgres.CreateDatabaseAsync());

        var differences = await DifferencesAsync(database);

        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    [Theory]
    [InlineData("alter table leads add column stage text", "only in the schema: leads.stage text")]
    [InlineData("alter table leads drop column last_source", "only in the model: leads.last_source text")]
    [InlineData("alter table leads alter column icp_score type integer", "only in the model: leads.icp_score smallint")]
    [InlineData("alter table contacts alter column created_at drop not null", "only in the schema: contacts.created_at timestamp with time zone")]
    [InlineData("alter table usage_days drop constraint usage_days_pkey, add primary key (day, workspace_id)", "only in the schema: usage_days key (day, workspace_id)")]
    [InlineData("create table notes (workspace_id uuid not null)", "only in the schema: notes.workspace_id uuid not null")]
    [InlineData("drop view deliveries", "only in the model: deliveries.state text")]
    public async Task A_difference_is_found(string change, string difference)
    {
        await using var database = new Database(await TestPostgres.CreateDatabaseAsync());
        await using (var command = database.Source.CreateCommand(change))
        {
            await command.ExecuteNonQueryAsync();
        }

        Assert.Contains(difference, await DifferencesAsync(database));
    }

    private static async Task<List<string>> DifferencesAsync(Database database)
    {
        await using var services = new ServiceCollection().AddSingleton(database).AddSignalHubDbContext().BuildServiceProvider();
        await using var context = await services.GetRequiredService<IDbContextFactory<SignalHubDbContext>>().CreateDbContextAsync();
        var model = Lines(context.Model).ToHashSet(StringComparer.Ordinal);
        var schema = await LinesAsync(database);
        return [.. model.Except(schema).Select(line => $"only in the model: {line}"), .. schema.Except(model).Select(line => $"only in the schema: {line}")];
    }

    private static IEnumerable<string> Lines(IModel model)
    {
        foreach (var row in model.GetEntityTypes())
        {
            var view = row.GetViewName();
            var table = view ?? row.GetTableName()!;
            foreach (var property in row.GetProperties())
            {
                // PostgreSQL does not know of a view's column whether it may be null.
                var notNull = view is null && !property.IsNullable ? " not null" : "";
                yield return $"{table}.{property.GetColumnName()} {property.GetColumnType()}{notNull}";
            }
            if (row.FindPrimaryKey() is { } key)
            {
                yield return $"{table} key ({string.Join(", ", key.Properties.Select(p => p.GetColumnName()))})";
            }
        }
    }

    private static async Task<HashSet<string>> LinesAsync(Database database)
    {
        await using var command = database.Source.CreateCommand(
            $"""
            select c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || case when a.attnotnull then ' not null' else '' end
              from pg_class c
              join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
             where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v') and not c.relispartition and c.relname <> '{MigrationsTable}'
            union all
            select c.relname || ' key (' || string_agg(a.attname, ', ' order by k.place) || ')'
              from pg_class c
              join pg_constraint p on p.conrelid = c.oid and p.contype = 'p'
              cross join unnest(p.conkey) with ordinality as k(number, place)
              join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number
             where c.relnamespace = 'public'::regnamespace and not c.relispartition and c.relname <> '{MigrationsTable}'
             group by c.relname
            """);
        var lines = new HashSet<string>(StringComparer.Ordinal);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            lines.Add(reader.GetString(0));
        }
        return lines;
    }
}
