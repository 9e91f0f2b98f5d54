using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Storage;
using SignalHub.Storage.Rows;

namespace SignalHub.Storage;

/// <summary>
/// The schema for the reading side: nothing is tracked, nothing is loaded unasked. The schema itself is made by the numbered
/// SQL files; a test compares this model with it, table by table.
/// </summary>
public sealed class SignalHubDbContext(DbContextOptions<SignalHubDbContext> options) : DbContext(options)
{
    public DbSet<AccountRow> Accounts => Set<AccountRow>();

    public DbSet<AccountIdentityRow> AccountIdentities => Set<AccountIdentityRow>();

    public DbSet<ContactRow> Contacts => Set<ContactRow>();

    public DbSet<ContactIdentityRow> ContactIdentities => Set<ContactIdentityRow>();

    public DbSet<LeadRow> Leads => Set<LeadRow>();

    public DbSet<SignalRow> Signals => Set<SignalRow>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        Table<WorkspaceRow>(modelBuilder, "workspaces").HasKey(r => r.Id);
        Table<ApiKeyRow>(modelBuilder, "api_keys").HasKey(r => new { r.WorkspaceId, r.Id });
        Table<DataProtectionKeyRow>(modelBuilder, "data_protection_keys").HasKey(r => r.Id);
        Table<UsageBatchRow>(modelBuilder, "usage_batches").HasNoKey();
        Table<UsageSlotRow>(modelBuilder, "usage_slots").HasKey(r => new { r.WorkspaceId, r.Slot });
        Table<UsageDayRow>(modelBuilder, "usage_days").HasKey(r => new { r.WorkspaceId, r.Day });
        Table<UsageLedgerRow>(modelBuilder, "usage_ledgers").HasKey(r => r.WorkspaceId);
        Table<SignalTypeRow>(modelBuilder, "signal_types").HasKey(r => new { r.WorkspaceId, r.Key });
        Table<DefinitionRow>(modelBuilder, "definitions").HasKey(r => new { r.WorkspaceId, r.Kind, r.Code });
        Table<DefinitionVersionRow>(modelBuilder, "definition_versions").HasKey(r => new { r.WorkspaceId, r.Id });
        Table<AccountRow>(modelBuilder, "accounts").HasKey(r => new { r.WorkspaceId, r.Id });
        Table<AccountIdentityRow>(modelBuilder, "account_identities").HasKey(r => new { r.WorkspaceId, r.Kind, r.Key });
        Table<ContactRow>(modelBuilder, "contacts").HasKey(r => new { r.WorkspaceId, r.Id });
        Table<ContactIdentityRow>(modelBuilder, "contact_identities").HasKey(r => new { r.WorkspaceId, r.Kind, r.Key });
        Table<ProfileHistoryRow>(modelBuilder, "profile_history").HasKey(r => new { r.WorkspaceId, r.SubjectId, r.Id });
        Table<MergeLogRow>(modelBuilder, "merge_log").HasKey(r => new { r.WorkspaceId, r.Id });
        Table<MergeCandidateRow>(modelBuilder, "merge_candidates").HasKey(r => new { r.WorkspaceId, r.FirstId, r.SecondId });
        Table<DoNotMergeRow>(modelBuilder, "do_not_merge").HasKey(r => new { r.WorkspaceId, r.FirstId, r.SecondId });
        Table<LeadRow>(modelBuilder, "leads").HasKey(r => new { r.WorkspaceId, r.Id });
        Table<RescoreRow>(modelBuilder, "rescore_queue").HasKey(r => new { r.WorkspaceId, r.AccountId });
        Table<SignalRow>(modelBuilder, "signals").HasKey(r => new { r.WorkspaceId, r.OccurredAt, r.Id });
        Table<IdempotencyKeyRow>(modelBuilder, "idempotency_keys").HasKey(r => new { r.WorkspaceId, r.Mode, r.KeyHash });
        Table<ProjectRow>(modelBuilder, "projects").HasKey(r => new { r.WorkspaceId, r.Id });
        Table<WebhookEndpointRow>(modelBuilder, "webhook_endpoints").HasKey(r => new { r.WorkspaceId, r.Id });
        Table<WebhookEventRow>(modelBuilder, "webhook_events").HasKey(r => new { r.WorkspaceId, r.CreatedAt, r.Id });
        Table<DeliveryQueueRow>(modelBuilder, "delivery_queue").HasKey(r => new { r.WorkspaceId, r.Id });
        Table<DeliveryHistoryRow>(modelBuilder, "delivery_history").HasKey(r => new { r.WorkspaceId, r.CreatedAt, r.Id });
        Table<DeliveryAttemptRow>(modelBuilder, "delivery_attempts").HasKey(r => new { r.WorkspaceId, r.DeliveryId, r.Attempt, r.At });
        Table<JobRow>(modelBuilder, "jobs").HasKey(r => new { r.WorkspaceId, r.Id });
        Table<AutomationRow>(modelBuilder, "automations").HasKey(r => new { r.WorkspaceId, r.Id });
        Table<AutomationRunRow>(modelBuilder, "automation_runs").HasKey(r => new { r.WorkspaceId, r.AutomationId, r.At, r.SignalId });
        Table<AutomationLeadFireRow>(modelBuilder, "automation_lead_fires").HasKey(r => new { r.WorkspaceId, r.AutomationId, r.LeadId });
        Table<WebhookEventExtrasRow>(modelBuilder, "webhook_event_extras").HasKey(r => new { r.WorkspaceId, r.CreatedAt, r.Id });
        modelBuilder.Entity<DeliveryRow>().ToView("deliveries").HasNoKey();
        NameColumns(modelBuilder);
    }

    private static EntityTypeBuilder<TRow> Table<TRow>(ModelBuilder model, string name) where TRow : class =>
        model.Entity<TRow>().ToTable(name);

    /// <summary>OccurredAt → occurred_at, for every column: the rows are named after the schema.</summary>
    private static void NameColumns(ModelBuilder model)
    {
        foreach (var property in model.Model.GetEntityTypes().SelectMany(row => row.GetProperties()))
        {
            property.SetColumnName(JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name));
        }
    }
}

public static class DbContextServices
{
    /// <summary>A pooled factory of contexts over the process's pool of connections.</summary>
    public static IServiceCollection AddSignalHubDbContext(this IServiceCollection services) =>
        services.AddPooledDbContextFactory<SignalHubDbContext>((provider, options) => options
            .UseNpgsql(provider.GetRequiredService<Database>().Source,
                // The default strategy wraps what goes wrong on the way to the server into an InvalidOperationException, and a
                // database that is away would look like a bug of ours.
                npgsql => npgsql.ExecutionStrategy(dependencies => new NonRetryingExecutionStrategy(dependencies)))
            .UseQueryTrackingBehavior(QueryTrackingBehavior.NoTracking)
            // One line per statement is for debugging; the request log has one per request.
            .ConfigureWarnings(warnings => warnings.Log((RelationalEventId.CommandExecuted, LogLevel.Debug))));
}
