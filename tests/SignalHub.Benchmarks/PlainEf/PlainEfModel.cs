using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;

namespace SignalHub.Benchmarks.PlainEf;

// The columns that the endpoint reads or writes, of the service's own schema.

internal sealed class ApiKeyRow
{
    public Guid WorkspaceId { get; set; }
    public Guid Id { get; set; }
    public byte[] Hash { get; set; } = [];
    public string[] Scopes { get; set; } = [];
    public DateTime? ExpiresAt { get; set; }
    public DateTime? RevokedAt { get; set; }
}

internal sealed class EndpointRow
{
    public Guid WorkspaceId { get; set; }
    public Guid Id { get; set; }
    public bool Enabled { get; set; }
}

internal sealed class ContactRow
{
    public Guid WorkspaceId { get; set; }
    public Guid Id { get; set; }
    public string? FirstName { get; set; }
    public string? LastName { get; set; }
    public string? Title { get; set; }
    public string? Email { get; set; }
    public DateTime? NamesAt { get; set; }
    public Guid? AccountId { get; set; }
    public DateTime? AccountAt { get; set; }
    public DateTime CreatedAt { get; set; }
    public DateTime UpdatedAt { get; set; }
}

internal sealed class ContactIdentityRow
{
    public Guid WorkspaceId { get; set; }
    public string Kind { get; set; } = "";
    public string Key { get; set; } = "";
    public Guid ContactId { get; set; }
    public string Display { get; set; } = "";
    public DateTime CreatedAt { get; set; }
}

internal sealed class AccountRow
{
    public Guid WorkspaceId { get; set; }
    public Guid Id { get; set; }
    public string? Domain { get; set; }
    public DateTime CreatedAt { get; set; }
    public DateTime UpdatedAt { get; set; }
}

internal sealed class AccountIdentityRow
{
    public Guid WorkspaceId { get; set; }
    public string Kind { get; set; } = "";
    public string Key { get; set; } = "";
    public Guid AccountId { get; set; }
    public DateTime CreatedAt { get; set; }
}

internal sealed class LeadRow
{
    public Guid WorkspaceId { get; set; }
    public Guid Id { get; set; }
    public Guid? ContactId { get; set; }
    public Guid? AccountId { get; set; }
    public string? IcpCode { get; set; }
    public short? IcpScore { get; set; }
    public string? PersonaCode { get; set; }
    public short? PersonaScore { get; set; }
    public bool? Qualified { get; set; }
    public DateTime? FirstQualifiedAt { get; set; }
    public Guid? ScoredSignalId { get; set; }
    public DateTime? ScoredOccurredAt { get; set; }
    public string? Qualification { get; set; }
    public long SignalCount { get; set; }
    public string? FirstSource { get; set; }
    public string? LastSource { get; set; }
    public string BySource { get; set; } = "{}";
    public DateTime? FirstSignalAt { get; set; }
    public DateTime? LastSignalAt { get; set; }
    public DateTime CreatedAt { get; set; }
    public DateTime UpdatedAt { get; set; }

    /// <summary>The row version: two requests about one lead must not lose a count.</summary>
    public uint Version { get; set; }
}

internal sealed class SignalRow
{
    public Guid WorkspaceId { get; set; }
    public DateTime OccurredAt { get; set; }
    public Guid Id { get; set; }
    public DateTime ReceivedAt { get; set; }
    public string TypeKey { get; set; } = "";
    public string Source { get; set; } = "";
    public string? EventName { get; set; }
    public string Mode { get; set; } = "live";
    public bool Backfill { get; set; }
    public bool Autoqualify { get; set; }
    public string Identity { get; set; } = "{}";
    public string Context { get; set; } = "{}";
    public long PayloadHash { get; set; }
    public Guid? ContactId { get; set; }
    public Guid? AccountId { get; set; }
    public Guid? LeadId { get; set; }
    public bool? Qualified { get; set; }
    public string? IcpCode { get; set; }
    public short? IcpScore { get; set; }
    public string? PersonaCode { get; set; }
    public short? PersonaScore { get; set; }
    public string? Qualification { get; set; }
}

internal sealed class WebhookEventRow
{
    public Guid WorkspaceId { get; set; }
    public DateTime CreatedAt { get; set; }
    public Guid Id { get; set; }
    public string Type { get; set; } = "";
    public Guid? SignalId { get; set; }
    public Guid? LeadId { get; set; }
    public byte[] Body { get; set; } = [];
}

internal sealed class DeliveryRow
{
    public Guid WorkspaceId { get; set; }
    public Guid Id { get; set; }
    public Guid EndpointId { get; set; }
    public Guid EventId { get; set; }
    public string EventType { get; set; } = "";
    public Guid? SignalId { get; set; }
    public Guid? LeadId { get; set; }
    public DateTime CreatedAt { get; set; }
    public DateTime QueuedAt { get; set; }
    public DateTime NextAt { get; set; }
}

internal sealed partial class PlainEfContext(DbContextOptions<PlainEfContext> options) : DbContext(options)
{
    public DbSet<ApiKeyRow> ApiKeys => Set<ApiKeyRow>();
    public DbSet<EndpointRow> Endpoints => Set<EndpointRow>();
    public DbSet<ContactRow> Contacts => Set<ContactRow>();
    public DbSet<ContactIdentityRow> ContactIdentities => Set<ContactIdentityRow>();
    public DbSet<AccountRow> Accounts => Set<AccountRow>();
    public DbSet<AccountIdentityRow> AccountIdentities => Set<AccountIdentityRow>();
    public DbSet<LeadRow> Leads => Set<LeadRow>();
    public DbSet<SignalRow> Signals => Set<SignalRow>();
    public DbSet<WebhookEventRow> Events => Set<WebhookEventRow>();
    public DbSet<DeliveryRow> Deliveries => Set<DeliveryRow>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<ApiKeyRow>().ToTable("api_keys").HasKey(k => new { k.WorkspaceId, k.Id });
        modelBuilder.Entity<EndpointRow>().ToTable("webhook_endpoints").HasKey(e => new { e.WorkspaceId, e.Id });
        modelBuilder.Entity<ContactRow>().ToTable("contacts").HasKey(c => new { c.WorkspaceId, c.Id });
        modelBuilder.Entity<ContactIdentityRow>().ToTable("contact_identities").HasKey(i => new { i.WorkspaceId, i.Kind, i.Key });
        modelBuilder.Entity<AccountRow>().ToTable("accounts").HasKey(a => new { a.WorkspaceId, a.Id });
        modelBuilder.Entity<AccountIdentityRow>().ToTable("account_identities").HasKey(i => new { i.WorkspaceId, i.Kind, i.Key });
        modelBuilder.Entity<LeadRow>(lead =>
        {
            lead.ToTable("leads").HasKey(l => new { l.WorkspaceId, l.Id });
            lead.Property(l => l.Version).IsRowVersion();
            lead.Property(l => l.BySource).HasColumnType("jsonb");
        });
        modelBuilder.Entity<SignalRow>(signal =>
        {
            signal.ToTable("signals").HasKey(s => new { s.WorkspaceId, s.OccurredAt, s.Id });
            signal.Property(s => s.Identity).HasColumnType("jsonb");
            signal.Property(s => s.Context).HasColumnType("jsonb");
        });
        modelBuilder.Entity<WebhookEventRow>().ToTable("webhook_events").HasKey(e => new { e.WorkspaceId, e.CreatedAt, e.Id });
        modelBuilder.Entity<DeliveryRow>().ToTable("delivery_queue").HasKey(d => new { d.WorkspaceId, d.Id });
        foreach (var property in modelBuilder.Model.GetEntityTypes().SelectMany(entity => entity.GetProperties()).Where(p => p.Name != nameof(LeadRow.Version)))
        {
            property.SetColumnName(WordStart().Replace(property.Name, "_$0").ToLowerInvariant());
        }
    }

    [GeneratedRegex("(?<!^)[A-Z]")]
    private static partial Regex WordStart();
}
