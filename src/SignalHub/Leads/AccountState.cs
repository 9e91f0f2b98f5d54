using System.Text.Json;
using SignalHub.Resources;

namespace SignalHub.Leads;

/// <summary>An account while a batch works on it.</summary>
public sealed class AccountState : StoredState
{
    private string _factsJson = "{}";
    private Dictionary<string, FactView>? _facts;

    public required Guid WorkspaceId { get; init; }
    public required Guid Id { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public string? Name { get; set; }
    public DateTimeOffset? NameAt { get; set; }
    public string? Domain { get; set; }
    public Guid? MergedInto { get; set; }
    public List<HeldKey> Keys { get; } = [];
    public bool IsTransient { get; init; }

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
        Name = given;
        NameAt = occurredAt;
        IsDirty = true;
    }
}
