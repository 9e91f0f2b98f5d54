namespace SignalHub.Webhooks.Delivery;

/// <summary>What this process holds of one endpoint and knows about it. Used under the lock of the <see cref="LaneTable"/>.</summary>
internal sealed class Lane
{
    /// <summary>How much the newest send counts in an endpoint's speed: about the last ten sends do.</summary>
    private const double SpeedWeight = 0.2;

    /// <summary>
    /// Rows are due when their signal was received and seen when that is committed. One that is seen later than this behind others waits
    /// for the next sweep.
    /// </summary>
    private static readonly TimeSpan _slack = TimeSpan.FromSeconds(1);

    private int _failures;
    private bool _isGone;
    private bool _isFree;

    public Queue<WaitingRow> Waiting { get; } = new();

    public int InFlight { get; set; }

    /// <summary>Fresh rows that are being written, or wait here without having been claimed.</summary>
    public int Fresh { get; set; }

    /// <summary>Fresh rows that are being written: not in <see cref="Waiting"/> yet.</summary>
    public int Reserved { get; set; }

    /// <summary>Null before the first answer.</summary>
    public double? SecondsPerSend { get; private set; }

    /// <summary>Outcomes that the next claim cannot know of, as they are not written before it.</summary>
    public int Unwritten { get; set; }

    public int Held => Waiting.Count + InFlight;

    /// <summary>Before it there is nothing to claim, but for what came late. Null: nothing was claimed here yet.</summary>
    public DateTimeOffset? Floor { get; private set; }

    /// <summary>Whether there may be more in the queue than the last claim was asked for.</summary>
    public bool MayHaveMore { get; set; }

    /// <summary>What claims brought: fresh rows have room of their own, so that they never keep older ones in the queue.</summary>
    public int Claimed => Held - (Fresh - Reserved);

    public bool IsIdle => Held == 0 && Fresh == 0 && Unwritten == 0 && !MayHaveMore;

    /// <summary>Whether rows may come to it without a claim: it answers, and nothing is to be looked after but its speed.</summary>
    public bool TakesFresh => _isFree && !_isGone && _failures == 0 && SecondsPerSend is not null;

    private bool IsOpen => _failures >= Breaker.OpensAt;

    /// <summary>Rows that were claimed before the breaker opened are not for an open one: only its probe is.</summary>
    public bool Admits(ClaimedDelivery delivery) => !_isGone && (!IsOpen || delivery.IsProbe);

    /// <summary>The next claim goes on where that one ended.</summary>
    public void GoOnFrom(DateTimeOffset claimedUpTo) => Floor = claimedUpTo - _slack is var floor && floor > Floor ? floor : Floor ?? floor;

    /// <summary>The endpoint's row knows of other nodes; but while it lacks outcomes of ours, it does not close what they opened.</summary>
    public void HearOfClaim(ClaimedDelivery delivery)
    {
        var stored = delivery.Target.ConsecutiveFailures;
        _failures = IsOpen && !delivery.IsProbe && Unwritten == 0 ? stored : Math.Max(_failures, stored);
        _isGone &= Unwritten > 0;
        _isFree = delivery.Target.IsFree;
    }

    public void HearOf(Completion completion)
    {
        if (completion.Attempt is { } attempt)
        {
            var took = attempt.DurationMs / 1000;
            SecondsPerSend = SecondsPerSend is { } known ? known + SpeedWeight * (took - known) : took;
        }
        if (EndpointHealth.IsTold(completion))
        {
            _failures = completion.Error is null ? 0 : _failures + 1;
        }
        Unwritten++;
        _isGone |= completion.Next.Ending == Ending.Gone;
    }
}

/// <summary>A row that waits for its send.</summary>
/// <param name="NotBefore">Its place in a pace.</param>
/// <param name="OverdueAt">Too late to begin within the lease.</param>
/// <param name="IsFresh">It came without a claim.</param>
internal readonly record struct WaitingRow(ClaimedDelivery Delivery, DateTimeOffset NotBefore, DateTimeOffset OverdueAt, bool IsFresh);
