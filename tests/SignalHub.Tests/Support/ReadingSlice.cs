using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;
using SignalHub.Leads;
using SignalHub.Leads.Identity;
using SignalHub.Signals;
using SignalHub.SignalTypes;
using SignalHub.Storage;
using SignalHub.Workspaces;

namespace SignalHub.Tests.Support;

/// <summary>The routes that read leads, companies, people and signals, on a database that is filled with SQL.</summary>
internal static class ReadingSlice
{
    public static Task<SliceHost> StartAsync(StatementRecorder? recorder = null, TimeProvider? time = null) => SliceHost.StartAsync(
        services =>
        {
            services.AddSingleton(time ?? TimeProvider.System);
            services.AddSingleton(new SignalHubOptions
            {
                ConnectionString = null,
                DataDirectory = "",
                PostgresBinaries = null,
                OperatorKey = null,
                EncryptionKey = null,
                Demo = false,
                Webhooks = new([], AllowHttp: false),
                RateLimits = new(0, 0),
                Roles = new(Api: true, Dispatcher: false, Jobs: false),
            });
            services.TryAddSingleton<WorkspaceChanges>();
            services.AddSingleton<WorkspaceStore>();
            services.AddSingleton<WorkspaceDirectory>();
            services.AddSignalHubDbContext();
            if (recorder is not null)
            {
                services.ConfigureDbContext<SignalHubDbContext>(options => options.AddInterceptors(recorder));
            }
            services.AddSignalTypes();
            services.AddIdentity();
            services.AddLeads();
            services.AddSignalReads();
        },
        routes =>
        {
            routes.MapLeads();
            routes.MapSignalReads();
        });
}

/// <summary>Keeps the statements that EF sends.</summary>
internal sealed class StatementRecorder : DbCommandInterceptor
{
    private readonly List<(string Sql, NpgsqlParameter[] Parameters)> _statements = [];

    public int Count => _statements.Count;

    public void Clear() => _statements.Clear();

    /// <summary>The plans of what was recorded, as text, with the values it was asked with.</summary>
    public async Task<IReadOnlyList<string>> ExplainAsync(Database database)
    {
        var plans = new List<string>();
        foreach (var (sql, parameters) in _statements)
        {
            await using var command = database.Source.CreateCommand("explain (analyze, costs off, timing off, summary off) " + sql);
            command.Parameters.AddRange(parameters);
            await using var reader = await command.ExecuteReaderAsync();
            var lines = new List<string>();
            while (await reader.ReadAsync())
            {
                lines.Add(reader.GetString(0));
            }
            plans.Add(string.Join('\n', lines));
        }
        return plans;
    }

    public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
    {
        _statements.Add((command.CommandText, [.. command.Parameters.Cast<NpgsqlParameter>().Select(p => p.Clone())]));
        return base.ReaderExecutingAsync(command, eventData, result, cancellationToken);
    }
}

/// <summary>Rows as the intake leaves them, written with SQL; everything not given is ordinary.</summary>
internal sealed class StoredRows(SliceHost host, Guid workspace)
{
    public static readonly DateTimeOffset Morning = new(2026, 3, 14, 8, 0, 0, TimeSpan.Zero);

    private int _made;

    public static DateTimeOffset Minute(int minute) => Morning.AddMinutes(minute);

    public async Task<Guid> AccountAsync(int minute = 0, string? domain = null, string? name = null, string facts = "{}", Guid? mergedInto = null)
    {
        var id = Ids.New(Minute(minute));
        await host.ExecuteAsync(
            "insert into accounts (workspace_id, id, name, domain, facts, merged_into, created_at, updated_at) values ($1, $2, $3, $4, $5::text::jsonb, $6, $7, $7)",
            workspace, id, Value(name), Value(domain), facts, Value(mergedInto), Minute(minute));
        if (domain is not null && mergedInto is null)
        {
            await DomainAsync(id, domain, minute);
        }
        return id;
    }

    public Task DomainAsync(Guid account, string domain, int minute) => host.ExecuteAsync(
        "insert into account_identities (workspace_id, kind, key, account_id, created_at) values ($1, 'domain', $2, $3, $4)", workspace, domain, account, Minute(minute));

    public async Task<Guid> ContactAsync(int minute = 0, string? email = null, Guid? account = null, Guid? mergedInto = null, string? firstName = null)
    {
        var id = Ids.New(Minute(minute));
        await host.ExecuteAsync(
            """
            insert into contacts (workspace_id, id, first_name, email, account_id, merged_into, created_at, updated_at)
            values ($1, $2, $3, $4, $5, $6, $7, $7)
            """, workspace, id, Value(firstName), Value(email), Value(account), Value(mergedInto), Minute(minute));
        if (email is not null && mergedInto is null)
        {
            await EmailAsync(id, email, minute);
        }
        return id;
    }

    public Task EmailAsync(Guid contact, string email, int minute) => host.ExecuteAsync(
        "insert into contact_identities (workspace_id, kind, key, contact_id, display, created_at) values ($1, 'email', $2, $3, $4, $5)",
        workspace, email.ToLowerInvariant(), contact, email, Minute(minute));

    public async Task<Guid> LeadAsync(
        int minute = 0, Guid? contact = null, Guid? account = null, Guid? mergedInto = null, string? icp = null, int? icpScore = null, string? persona = null,
        bool? qualified = null, string bySource = "{}", string? lastSource = null, string? qualification = null)
    {
        var id = Ids.New(Minute(minute));
        await host.ExecuteAsync(
            """
            insert into leads (workspace_id, id, contact_id, account_id, merged_into, icp_code, icp_score, persona_code, qualified, by_source, last_source,
                               qualification, created_at, updated_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::jsonb, $11, $12::text, $13, $13)
            """, workspace, id, Value(contact), Value(account ?? (contact is null ? Ids.New(Morning) : null)), Value(mergedInto), Value(icp), Value(icpScore), Value(persona),
            Value(qualified), bySource, Value(lastSource), Value(qualification), Minute(minute));
        return id;
    }

    public async Task<Guid> SignalAsync(
        DateTimeOffset? occurredAt = null, DateTimeOffset? receivedAt = null, Guid? lead = null, Guid? contact = null, Guid? account = null, string type = "custom_event",
        string source = "app", string? bucket = null, string? eventName = null, bool? qualified = null, string mode = "live", string context = "{}",
        string? qualification = null, string? warnings = null)
    {
        var occurred = occurredAt ?? Morning;
        var id = Ids.Derive(occurred, "signal", workspace, new Guid(++_made, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]));
        await host.ExecuteAsync(
            """
            insert into signals (workspace_id, occurred_at, id, received_at, type_key, source, event_name, bucket, mode, backfill, autoqualify, identity, context,
                                 payload_hash, contact_id, account_id, lead_id, qualified, icp_score, qualification, warnings)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, false, true, '{"email":"jane@acme.com"}', $10::text::jsonb, 0, $11, $12, $13, $14, 73, $15::text, $16::text::jsonb)
            """, workspace, occurred, id, receivedAt ?? occurred, type, source, Value(eventName), Value(bucket), mode, context,
            Value(contact), Value(account), Value(lead), Value(qualified), Value(qualification), Value(warnings));
        return id;
    }

    private static object Value<T>(T? value) => (object?)value ?? DBNull.Value;
}
