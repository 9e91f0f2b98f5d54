using System.Text.Json;
using SignalHub.Leads.Identity;
using SignalHub.Resources;

namespace SignalHub.Leads;

/// <summary>An account while a batch works on it.</summary>
public sealed class AccountState : StoredState
{
    /// <summary>Names that a company is found by: as many as it may have had, not as many as a sender can make up.</summary>
    public const int MaxNames = 5;

    private string _factsJson = "{}";
    private Dictionary<string, FactView>? _facts;

    public required Guid WorkspaceId { get; init; }
    public required Guid Id { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public string? Name { get; set; }
    public DateTimeOffset? NameAt { get; set; }
    public string? Domain { get; set; }
    public Guid? MergedInto { get; set; }

    /// <summary>Its lead while it is remembered; a batch asks its world.</summary>
    public LeadState? RememberedLead { get; set; }

    public List<HeldKey> Keys { get; } = [];
    public bool IsTransient { get; init; }
    public bool IsRenamed { get; private set; }

    /// <summary>As stored; parsed when first asked for.</summary>
    public required string FactsJson
    {
        get => _factsJson;
        set
        {
            _factsJson = value;
            _facts = null;
        }
    }

    public IReadOnlyDictionary<string, FactView> Facts =>
        _facts ??= _factsJson == "{}" ? [] : JsonSerializer.Deserialize<Dictionary<string, FactView>>(_factsJson, Http.Json.Options)!;

    public override void Stored(uint transaction)
    {
        base.Stored(transaction);
        HeldKey.Stored(Keys);
        IsRenamed = false;
    }

    public void ApplyName(string? given, DateTimeOffset occurredAt, List<ReplacedValue> history)
    {
        var newer = NameAt is null || occurredAt >= NameAt;
        if (given is null || (Name is not null && (!newer || given == Name)))
        {
            return;
        }
        if (Name is not null)
        {
            history.Add(new ReplacedValue(Id, "name", Name));
        }
        IsRenamed |= Name != given;
        Name = given;
        NameAt = occurredAt;
        IsDirty = true;
    }

    /// <summary>The key of a name that is new here; null: there is none, it is held already, or there is no room for it.</summary>
    public string? NewNameKey =>
        IsRenamed && CompanyNameKey.Of(Name!) is { } key && !Keys.Any(k => k.Kind == IdentityKinds.Name && k.Key == key)
        && Keys.Count(k => k.Kind == IdentityKinds.Name) < MaxNames ? key : null;
}
