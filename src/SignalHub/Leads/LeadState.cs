using System.Text.Json;

namespace SignalHub.Leads;

/// <summary>A lead while a batch works on it.</summary>
public sealed class LeadState : StoredState
{
    /// <summary>Sources counted by name; a sender that puts an id into <c>source</c> must not grow the row without bound.</summary>
    public const int MaxSources = 100;

    public const string OtherSources = "(other)";

    private string _bySourceJson = "{}";
    private SortedDictionary<string, long>? _bySource;

    public required Guid WorkspaceId { get; init; }
    public required Guid Id { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public Guid? ContactId { get; set; }
    public Guid? AccountId { get; set; }
    public Guid? MergedInto { get; set; }
    public string? IcpCode { get; set; }
    public int? IcpScore { get; set; }
    public string? PersonaCode { get; set; }
    public int? PersonaScore { get; set; }
    public bool? Qualified { get; set; }
    public DateTimeOffset? FirstQualifiedAt { get; set; }
    public Guid? ScoredSignalId { get; set; }
    public DateTimeOffset? ScoredOccurredAt { get; set; }

    /// <summary>Null: as stored. It is only ever written, so what is remembered of a lead does not hold it.</summary>
    public byte[]? QualificationJson { get; set; }

    public long SignalCount { get; set; }
    public string? FirstSource { get; set; }
    public string? LastSource { get; set; }
    public DateTimeOffset? FirstSignalAt { get; set; }
    public DateTimeOffset? LastSignalAt { get; set; }
    public DateTimeOffset UpdatedAt { get; set; }

    public required string BySourceJson
    {
        get => _bySource is null ? _bySourceJson : JsonSerializer.Serialize(_bySource, Http.Json.Options);
        set
        {
            _bySourceJson = value;
            _bySource = null;
        }
    }

    public IReadOnlyDictionary<string, long> BySource => Sources;

    private SortedDictionary<string, long> Sources =>
        _bySource ??= new SortedDictionary<string, long>(
            JsonSerializer.Deserialize<Dictionary<string, long>>(_bySourceJson, Http.Json.Options)!, StringComparer.Ordinal);

    public override void Stored(uint transaction)
    {
        base.Stored(transaction);
        QualificationJson = null;
    }

    /// <summary>Counts a signal and keeps the attribution: first and last go by when signals happened, not by when they arrived.</summary>
    public void Count(string source, DateTimeOffset occurredAt)
    {
        SignalCount++;
        AddSource(source, 1);
        if (FirstSignalAt is null || occurredAt < FirstSignalAt)
        {
            (FirstSignalAt, FirstSource) = (occurredAt, source);
        }
        if (LastSignalAt is null || occurredAt >= LastSignalAt)
        {
            // The text that is there already, if it is the same: a lead is remembered for longer than its signals.
            (LastSignalAt, LastSource) = (occurredAt, source == LastSource ? LastSource : source);
        }
        IsDirty = true;
    }

    /// <summary>Whether a signal is the newest scored one, whose qualification the lead shows.</summary>
    public bool IsNewestScored(DateTimeOffset occurredAt, Guid signalId) =>
        ScoredOccurredAt is not { } at || occurredAt > at
        || (occurredAt == at && (ScoredSignalId is not { } id || Compare(signalId, id) >= 0));

    /// <summary>Takes over what a merged lead had: counts add up, the newest scored signal of both is shown.</summary>
    public void Absorb(LeadState loser)
    {
        SignalCount += loser.SignalCount;
        foreach (var (source, count) in loser.BySource)
        {
            AddSource(source, count);
        }
        if (loser.FirstSignalAt is { } first && (FirstSignalAt is null || first < FirstSignalAt))
        {
            (FirstSignalAt, FirstSource) = (first, loser.FirstSource);
        }
        if (loser.LastSignalAt is { } last && (LastSignalAt is null || last > LastSignalAt))
        {
            (LastSignalAt, LastSource) = (last, loser.LastSource);
        }
        if (loser.FirstQualifiedAt is { } qualified && (FirstQualifiedAt is null || qualified < FirstQualifiedAt))
        {
            FirstQualifiedAt = qualified;
        }
        if (loser is { ScoredOccurredAt: { } at, ScoredSignalId: { } id } && IsNewestScored(at, id))
        {
            (IcpCode, IcpScore, PersonaCode, PersonaScore, Qualified) =
                (loser.IcpCode, loser.IcpScore, loser.PersonaCode, loser.PersonaScore, loser.Qualified);
            (ScoredOccurredAt, ScoredSignalId, QualificationJson) = (at, id, loser.QualificationJson);
        }
        AccountId ??= loser.AccountId;
        IsDirty = true;
    }

    private void AddSource(string source, long count)
    {
        var name = Sources.ContainsKey(source) || Sources.Count < MaxSources ? source : OtherSources;
        Sources[name] = Sources.GetValueOrDefault(name) + count;
    }

    // As PostgreSQL compares uuids: by bytes, which for ours is by time.
    private static int Compare(Guid a, Guid b)
    {
        Span<byte> left = stackalloc byte[16];
        Span<byte> right = stackalloc byte[16];
        a.TryWriteBytes(left, bigEndian: true, out _);
        b.TryWriteBytes(right, bigEndian: true, out _);
        return left.SequenceCompareTo(right);
    }
}
