using System.Net;

namespace SignalHub.Webhooks;

/// <summary>
/// Settings of the section <c>Webhooks</c>. Everything has a default that suits one node; only the first two are meant to
/// be set by most people.
/// </summary>
public sealed class WebhookOptions
{
    public const string Section = "Webhooks";

    /// <summary>
    /// Networks in CIDR form (<c>10.20.0.0/16</c>, <c>::1/128</c>) that receivers may live in although they are private.
    /// Empty: only public addresses are reached.
    /// </summary>
    public IReadOnlyList<string> AllowedNetworks { get; set; } = [];

    /// <summary>Whether <c>http:</c> targets are accepted beside <c>https:</c>. Off: a body never travels in the clear.</summary>
    public bool AllowHttp { get; set; }

    /// <summary>
    /// How long a claimed delivery belongs to its claimer. A row may begin as late as half of it and then last
    /// <see cref="MaxTimeout"/>, so half of it has to be longer than that and <see cref="LeaseMargin"/> together: a shorter
    /// lease would expire under a send and the receiver would get doubles. Longer: a crash is noticed later.
    /// </summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(90);

    /// <summary>What a finished send still needs to be written down: queueing, a slow commit, a garbage collection.</summary>
    public TimeSpan LeaseMargin { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How often the queue is looked at when nobody wakes the dispatcher: retries that fall due, other nodes' events.</summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Sends in flight to one endpoint. Eight keep a receiver busy and do not look like an attack to it.</summary>
    public int InFlightPerEndpoint { get; set; } = 8;

    /// <summary>
    /// Sends in flight in this process. Soft by one send per endpoint: an endpoint with nothing in flight may always begin
    /// one, so that a house full of slow receivers shuts nobody out.
    /// </summary>
    public int InFlight { get; set; } = 512;

    /// <summary>
    /// Rows of one endpoint held at once, begun or not: keeps claims and completions in bulk (506 µs a row one by one, 22 µs
    /// in hundreds).
    /// </summary>
    public int ClaimPerEndpoint { get; set; } = 200;

    /// <summary>Rows taken by one claim over all endpoints. Soft: endpoints of which nothing is held get at least one each.</summary>
    public int ClaimBatch { get; set; } = 1_000;

    /// <summary>
    /// How much of an endpoint's work a claim takes ahead, by its own recent speed: a slow endpoint keeps few rows from other
    /// nodes.
    /// </summary>
    public TimeSpan ClaimAhead { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Rows held at once by this process, begun or not.</summary>
    public int Held { get; set; } = 4_000;

    /// <summary>Bytes of bodies held at once; above it only endpoints of which nothing is held get a row.</summary>
    public long HeldBytes { get; set; } = 32 * 1024 * 1024;

    /// <summary>Rows that one sweep ends of a disabled endpoint: short transactions, however long the backlog.</summary>
    public int SkipBatch { get; set; } = 1_000;

    /// <summary>Name look-up, TCP connect and TLS handshake together, inside the endpoint's own timeout.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Age at which a pooled connection is replaced, so that a receiver that moved in DNS is followed.</summary>
    public TimeSpan ConnectionLifetime { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>How long a stopping process waits for sends in flight; what is left then is handed back and sent again.</summary>
    public TimeSpan ShutdownGrace { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest timeout an endpoint may have (the check of <c>webhook_endpoints.timeout_seconds</c>).</summary>
    public static TimeSpan MaxTimeout { get; } = TimeSpan.FromSeconds(30);

    /// <summary>The parsed <see cref="AllowedNetworks"/>; a bad entry was refused by <see cref="Problem"/> before.</summary>
    public IReadOnlyList<IPNetwork> Networks() => [.. AllowedNetworks.Select(IPNetwork.Parse)];

    /// <summary>One line that says what is wrong with the settings, or null.</summary>
    public string? Problem()
    {
        if (AllowedNetworks.FirstOrDefault(n => !IPNetwork.TryParse(n, out _)) is { } network)
        {
            return $"Webhooks:AllowedNetworks holds \"{network}\", which is not a network in CIDR form such as 10.20.0.0/16.";
        }
        if (Lease / 2 <= MaxTimeout + LeaseMargin)
        {
            return $"Webhooks:Lease is {Lease.TotalSeconds:0.#} s; half of it has to be longer than the longest timeout "
                + $"({MaxTimeout.TotalSeconds:0} s) and Webhooks:LeaseMargin ({LeaseMargin.TotalSeconds:0.#} s) together, "
                + "or deliveries would be sent twice.";
        }
        var tooSmall = new (string Name, bool Bad)[]
        {
            (nameof(LeaseMargin), LeaseMargin <= TimeSpan.Zero), (nameof(PollInterval), PollInterval <= TimeSpan.Zero),
            (nameof(InFlightPerEndpoint), InFlightPerEndpoint < 1), (nameof(InFlight), InFlight < 1),
            (nameof(ClaimPerEndpoint), ClaimPerEndpoint < 1), (nameof(ClaimBatch), ClaimBatch < 1),
            (nameof(ClaimAhead), ClaimAhead <= TimeSpan.Zero), (nameof(Held), Held < 1), (nameof(HeldBytes), HeldBytes < 1),
            (nameof(SkipBatch), SkipBatch < 1), (nameof(ConnectTimeout), ConnectTimeout <= TimeSpan.Zero),
            (nameof(ConnectionLifetime), ConnectionLifetime <= TimeSpan.Zero), (nameof(ShutdownGrace), ShutdownGrace < TimeSpan.Zero),
        };
        return tooSmall.FirstOrDefault(s => s.Bad).Name is { } name ? $"Webhooks:{name} has to be greater than zero." : null;
    }
}
