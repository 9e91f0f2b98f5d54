using System.Security.Cryptography;
using Microsoft.Extensions.Options;

namespace SignalHub.Webhooks.Delivery;

/// <summary>What a run did. <paramref name="FencedOff"/>: outcomes that came after another claimer had taken the row over.</summary>
public sealed record DispatchCounts(
    int Claimed = 0, int Delivered = 0, int Retried = 0, int Failed = 0, int Skipped = 0, int HandedBack = 0, int FencedOff = 0)
{
    public static DispatchCounts operator +(DispatchCounts a, DispatchCounts b) => new(
        a.Claimed + b.Claimed, a.Delivered + b.Delivered, a.Retried + b.Retried, a.Failed + b.Failed,
        a.Skipped + b.Skipped, a.HandedBack + b.HandedBack, a.FencedOff + b.FencedOff);
}

/// <summary>
/// Sends what is due. One flow of control talks to the database, in turns: write down what sends gave, and beside that hand back
/// what cannot begin in time and claim. It never waits for a send: sends run on their own, and one that ends begins the next of
/// its endpoint by itself. So a slow receiver holds up its own lane, and everybody else at most for the length of a turn.
/// </summary>
public sealed class Dispatcher(
    ClaimStore claims, TargetStore targets, DeliveryStore store, EventExtrasStore extras, AttemptStore attempts, WebhookSender sender, SecretProtection secrets, DeliverySignal signal,
    IOptions<WebhookOptions> options, TimeProvider clock, ILogger<Dispatcher> log) : IDisposable
{
    /// <summary>
    /// Claims in a row without an outcome after which a delivery is given up: a claimer that dies takes what it holds with it
    /// and most of that is innocent, but what is always among it is what kills it. As many as the standard schedule has tries.
    /// </summary>
    private const int MaxClaims = 10;

    /// <summary>Outcomes in one transaction: short enough that the next turn does not wait for it.</summary>
    private const int MaxCompletions = 1_000;

    /// <summary>
    /// How often the queue is looked through from its very front: for rows that became visible after later ones had been claimed, and for
    /// those of endpoints that are disabled or gone. Where a snapshot is held elsewhere, that passes by all that is dead and still there.
    /// </summary>
    private static readonly TimeSpan _sweepInterval = TimeSpan.FromSeconds(5);

    private readonly LaneTable _lanes = new(options.Value, clock);
    private readonly DeliverySignal _ended = new();
    private readonly DeliverySignal _news = new();
    private readonly CancellationTokenSource _abort = new();
    private DateTimeOffset _nextPoll = DateTimeOffset.MinValue;
    private DateTimeOffset _nextSweep = DateTimeOffset.MinValue;
    private bool _mayBeMore;

    /// <summary>
    /// To be asked before deliveries are written: those that it marks are sent from here as soon as they are, without a claim. None are
    /// before <see cref="AcceptFresh"/>, and none of an endpoint that has not answered here before.
    /// </summary>
    public FreshDeliveries Reserve(IReadOnlyList<NewDelivery> deliveries) => new(this, _lanes.Reserve(deliveries), clock.GetUtcNow());

    /// <summary>There is somebody from now on who calls <see cref="TakeFreshAsync"/> again and again.</summary>
    internal void AcceptFresh() => _lanes.AcceptFresh(true);

    /// <summary>
    /// Works until nothing may be sent now and everything sent is written down. For tests, which move the clock between runs; the
    /// process takes endless turns instead (<see cref="DeliveryLoop"/>). Cancelled: drains, and answers what was done.
    /// </summary>
    public async Task<DispatchCounts> RunOnceAsync(CancellationToken cancellationToken)
    {
        var counts = new DispatchCounts();
        _nextPoll = _nextSweep = DateTimeOffset.MinValue;
        while (!cancellationToken.IsCancellationRequested)
        {
            var turn = await TurnAsync(CancellationToken.None);
            counts += turn;
            if ((_lanes.Held == 0 && !_mayBeMore && !_lanes.NeedsClaim) || (turn.Claimed == 0 && _lanes.OnlyWaits))
            {
                return counts;
            }
            if (turn == new DispatchCounts())
            {
                await WaitAsync(cancellationToken);
            }
        }
        return counts + await DrainAsync();
    }

    /// <summary>
    /// One turn with the database. Throws what the database throws; nothing is lost then, the next turn takes it up again.
    /// </summary>
    internal async Task<DispatchCounts> TurnAsync(CancellationToken cancellationToken)
    {
        var written = new List<Completion>();
        var writing = WriteDownAsync(written, cancellationToken);
        var claiming = ClaimAsync(cancellationToken);
        try
        {
            await Task.WhenAll(writing, claiming);
        }
        finally
        {
            // Only now: a claim that ran beside the writing may not have seen it.
            _lanes.Forget(written);
            _mayBeMore |= written.Exists(MayFreeOthers);
        }
        return await writing + await claiming;
    }

    /// <summary>Hands back, claims, and begins what may begin.</summary>
    private async Task<DispatchCounts> ClaimAsync(CancellationToken cancellationToken)
    {
        var counts = await HandBackAsync(all: false, cancellationToken);
        var now = clock.GetUtcNow();
        var isPoll = now >= _nextPoll;
        if (signal.Take() | isPoll | (_mayBeMore && _lanes.IsHungry) | _lanes.NeedsClaim)
        {
            var sweeps = isPoll && now >= _nextSweep;
            var skipped = sweeps ? await store.EndStoppedAsync(options.Value.SkipBatch, cancellationToken) : 0;
            counts += new DispatchCounts(Skipped: skipped);
            if (skipped == 0)
            {
                _nextPoll = isPoll ? now + options.Value.PollInterval : _nextPoll;
                _nextSweep = sweeps ? now + _sweepInterval : _nextSweep;
            }
            var request = _lanes.NextClaim(sweeps);
            var claimed = await extras.AddToAsync(await claims.ClaimAsync(request, cancellationToken), cancellationToken);
            _mayBeMore = claimed.Count > 0 || skipped > 0;
            _lanes.Add(request, claimed);
            counts += new DispatchCounts(Claimed: claimed.Count);
        }
        StartSends();
        return counts;
    }

    /// <summary>
    /// Waits for what this process has written for itself and begins to send it, beside the turns: it waits for neither claim nor
    /// outcome. Endpoints are looked up each time: what was changed a moment ago counts.
    /// </summary>
    internal async Task TakeFreshAsync(CancellationToken cancellationToken)
    {
        await _news.WaitAsync(cancellationToken);
        _news.Take();
        var handed = _lanes.TakeHanded();
        try
        {
            var found = await targets.LoadAsync([.. handed.Select(row => row.Delivery.Endpoint).Distinct()], cancellationToken);
            if (_lanes.AddFresh(handed, found))
            {
                _ended.WakeHere();
            }
        }
        catch
        {
            _lanes.PutBackHanded(handed);
            _news.WakeHere();
            throw;
        }
        StartSends();
    }

    /// <summary>Reserved deliveries have been written: the transaction that began then has committed.</summary>
    internal void Hand(IReadOnlyList<NewDelivery> deliveries, DateTimeOffset since)
    {
        _lanes.Hand(deliveries, since);
        _news.WakeHere();
        _ended.WakeHere();
    }

    /// <summary>They have not, as far as anybody knows.</summary>
    internal void Cancel(IReadOnlyList<NewDelivery> deliveries)
    {
        _lanes.Cancel(deliveries);
        _ended.WakeHere();
    }

    /// <summary>
    /// What ended lets the lead's next one go; what a probe found may let all of them go; and where the endpoint's row was written, a
    /// claim beside it may have passed it over.
    /// </summary>
    private static bool MayFreeOthers(Completion completion) =>
        completion.Delivery.Target.Ordered || completion.Delivery.IsProbe || completion.Delivery.Target.MaxPerSecond is not null
        || completion.Error is not null;

    /// <summary>Until somebody wakes us, a send ends, or the next poll or the next row of a paced endpoint is due.</summary>
    internal async Task WaitAsync(CancellationToken cancellationToken)
    {
        var until = _lanes.NextStart;
        var left = (until < _nextPoll ? until : _nextPoll) - clock.GetUtcNow();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(
            signal.WaitAsync(over.Token).AsTask(),
            _ended.WaitAsync(over.Token).AsTask(),
            Task.Delay(left > TimeSpan.Zero ? left : TimeSpan.Zero, clock, over.Token));
        await over.CancelAsync();
        _ended.Take();
    }

    /// <summary>
    /// Ends the work: hands back what has not begun, waits for sends in flight as long as the settings say, cuts off and
    /// hands back the rest. Their receivers may see them twice; nobody misses one.
    /// </summary>
    internal async Task<DispatchCounts> DrainAsync()
    {
        _lanes.AcceptFresh(false);
        var counts = await HandBackAsync(all: true, CancellationToken.None);
        using var graceOver = new CancellationTokenSource(options.Value.ShutdownGrace, clock);
        await using var cutOff = graceOver.Token.Register(_abort.Cancel);
        while (_lanes.InFlight > 0)
        {
            await _ended.WaitAsync(CancellationToken.None);
            _ended.Take();
        }
        while (_lanes.Reserved > 0 && !graceOver.IsCancellationRequested)
        {
            await Task.WhenAny(_ended.WaitAsync(graceOver.Token).AsTask());
            _ended.Take();
        }
        counts += await WriteDownAsync([], CancellationToken.None) + await HandBackAsync(all: true, CancellationToken.None);
        return counts;
    }

    public void Dispose()
    {
        _abort.Cancel();
        _abort.Dispose();
    }

    private void StartSends()
    {
        foreach (var delivery in _lanes.BeginAll())
        {
            _ = Task.Run(() => SendAsync(delivery));
        }
    }

    /// <summary>Sends, and then what comes next on the same endpoint, until there is nothing or somebody else's turn.</summary>
    private async Task SendAsync(ClaimedDelivery first)
    {
        for (ClaimedDelivery? next = first; next is not null;)
        {
            var sent = next;
            try
            {
                next = _lanes.FinishAndBegin(await TryAsync(sent));
            }
            catch (Exception e) when (_abort.IsCancellationRequested)
            {
                log.LogDebug(e, "A send was cut off by the end of the process");
                _lanes.Interrupt(sent);
                next = null;
            }
            _ended.Wake();
        }
    }

    private async Task<Completion> TryAsync(ClaimedDelivery delivery)
    {
        if (delivery.Body is null)
        {
            return new Completion(delivery, null, new NextStep(Ending.Erased, null), null, null);
        }
        if (delivery.Extras?.TemplateError is { } detail)
        {
            var nothing = new AttemptResult { StartedAt = clock.GetUtcNow(), Error = ErrorClass.TemplateError, Detail = detail };
            return new Completion(delivery, nothing, new NextStep(Ending.TemplateError, null), ErrorClass.TemplateError, detail);
        }
        if (delivery.Claims > MaxClaims)
        {
            return new Completion(delivery, null, new NextStep(Ending.Exhausted, null), ErrorClass.InternalError, null);
        }
        using var span = DeliverySpan.Begin(delivery);
        var attempt = await AttemptAsync(delivery, delivery.Body);
        var outcome = Outcome.Of(attempt);
        var retryAfter = RetrySchedule.ReadRetryAfter(attempt.RetryAfter, clock.GetUtcNow());
        var next = NextStep.After(outcome, delivery.Target.Schedule, delivery.Step, Spread(delivery), retryAfter);
        DeliverySpan.End(span, attempt.Status, next.Outcome, outcome.Error);
        return new Completion(delivery, attempt, next, outcome.Error, outcome.Detail);
    }

    /// <summary>Whatever goes wrong on our side costs this delivery a try, with a word in its log, and the process nothing.</summary>
    private async Task<AttemptResult> AttemptAsync(ClaimedDelivery delivery, byte[] body)
    {
        var startedAt = clock.GetUtcNow();
        try
        {
            return await sender.SendAsync(delivery.Request(secrets, body), _abort.Token);
        }
        catch (CryptographicException e)
        {
            log.LogError(e, "The secret of endpoint {Endpoint} cannot be decrypted", delivery.Target.Key.EndpointId);
            return Internal(startedAt, "The endpoint's secret cannot be decrypted: rotate it.");
        }
        catch (Exception e) when (!_abort.IsCancellationRequested)
        {
            log.LogError(e, "Sending delivery {Delivery} failed on our side", delivery.Id);
            return Internal(startedAt, $"Sending failed on our side ({e.GetType().Name}).");
        }
    }

    private static AttemptResult Internal(DateTimeOffset startedAt, string detail) =>
        new() { StartedAt = startedAt, Error = ErrorClass.InternalError, Detail = detail };

    private async Task<DispatchCounts> WriteDownAsync(List<Completion> written, CancellationToken cancellationToken)
    {
        var counts = new DispatchCounts();
        var finished = _lanes.TakeFinished();
        try
        {
            while (written.Count < finished.Count)
            {
                var batch = finished.GetRange(written.Count, Math.Min(MaxCompletions, finished.Count - written.Count));
                counts += Count(batch, await attempts.CompleteAsync(batch, cancellationToken));
                _lanes.Release(batch.Select(c => c.Delivery.Row));
                written.AddRange(batch);
            }
            return counts;
        }
        catch
        {
            _lanes.PutBack(finished[written.Count..]);
            throw;
        }
    }

    private async Task<DispatchCounts> HandBackAsync(bool all, CancellationToken cancellationToken)
    {
        var unbegun = _lanes.TakeUnbegun(all);
        if (unbegun.Count == 0)
        {
            return new DispatchCounts();
        }
        try
        {
            var handedBack = await claims.HandBackAsync(unbegun, cancellationToken);
            _lanes.Release(unbegun);
            return new DispatchCounts(HandedBack: handedBack);
        }
        catch
        {
            _lanes.PutBackUnbegun(unbegun);
            throw;
        }
    }

    private static DispatchCounts Count(List<Completion> completions, IReadOnlySet<Guid> written)
    {
        var counts = new DispatchCounts(FencedOff: completions.Count - written.Count);
        foreach (var completion in completions.Where(c => written.Contains(c.Delivery.Id)))
        {
            DeliveryMetrics.Count(completion);
            counts += completion.Next.Ending?.State switch
            {
                null => new DispatchCounts(Retried: 1),
                "delivered" => new DispatchCounts(Delivered: 1),
                "failed" => new DispatchCounts(Failed: 1),
                _ => new DispatchCounts(Skipped: 1),
            };
        }
        return counts;
    }

    /// <summary>
    /// Where in the jitter's range a retry lies, in [0, 1): from the delivery's id, whose low bits are a hash, and the
    /// attempt. It has to differ between deliveries, not to surprise anybody.
    /// </summary>
    internal static double Spread(ClaimedDelivery delivery)
    {
        Span<byte> id = stackalloc byte[16];
        delivery.Id.TryWriteBytes(id);
        var mixed = (BitConverter.ToUInt64(id[8..]) + (ulong)delivery.Attempt) * 0x9E3779B97F4A7C15;
        return (mixed >> 11) * (1.0 / (1UL << 53));
    }
}
