using System.Data;
using SignalHub.Automations;
using SignalHub.Conditions;
using SignalHub.Http;
using SignalHub.Leads;
using SignalHub.Leads.Identity;
using SignalHub.Storage;
using SignalHub.Webhooks.Delivery;

namespace SignalHub.Signals.Intake;

/// <summary>What a signal would become if it were sent without <c>dry_run</c>.</summary>
/// <param name="LastFires">When automations with a limit fired last for its lead.</param>
public sealed record Rehearsal(
    IntakeItem Item, CapturedSignal Outcome, PlannedSignal? Plan, ConditionInput? Facts, IReadOnlyDictionary<LeadLimit, DateTimeOffset> LastFires);

/// <summary>
/// One transaction for whatever waits: signals, people, companies, leads, events and deliveries commit together or not at all,
/// and every caller is answered after the commit.
/// </summary>
public sealed class SignalIntake(Database database, MonthlyPartitions partitions, Dispatcher dispatcher, DeliverySignal deliveries, TimeProvider time, ILogger<SignalIntake> log)
{
    /// <summary>Tries of a batch that met a conflict or a broken connection. Every try is the whole batch, which is idempotent.</summary>
    private const int MaxTries = 5;

    private static readonly Dictionary<LeadLimit, DateTimeOffset> NeverFired = [];

    private static readonly Dictionary<int, StoredDuplicate> NoDuplicates = [];

    /// <summary>Writes the batch and answers each item, with its problem at worst. Never throws.</summary>
    /// <param name="batch">Its signals, those about one person in the order of their arrival.</param>
    /// <param name="connection">The writer's.</param>
    public Task RunAsync(IntakeBatch batch, KeptConnection connection) => RunAsync(batch.Items, batch, connection);

    // The first try relies on what is remembered while that proves right, the others on what is stored.
    private async Task RunAsync(List<IntakeItem> items, IntakeBatch batch, KeptConnection connection)
    {
        var memory = batch.Memory;
        var relies = memory.Relies();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var results = await WriteAsync(items, memory, connection, relies);
                if (relies)
                {
                    memory.Proved(right: true);
                }
                Answer(items, results);
                return;
            }
            catch (Exception e) when (attempt < MaxTries && IntakeFailure.Of(e) == IntakeFailure.Kind.Retry)
            {
                log.LogInformation("A batch of {Count} signals starts again (try {Attempt}): {Reason}", items.Count, attempt, IntakeFailure.Describe(e));
                if (relies && IntakeFailure.IsStale(e))
                {
                    memory.Proved(right: false);
                }
                relies = false;
                foreach (var item in items)
                {
                    item.MayBeStored |= IntakeFailure.LostItsAnswer(e);
                }
                batch.Part();
            }
            catch (Exception e) when (IntakeFailure.Of(e) == IntakeFailure.Kind.Data && batch.Lines.Count > 1)
            {
                batch.Part();
                relies = false;
            }
            catch (Exception e) when (IntakeFailure.Of(e) == IntakeFailure.Kind.Data && items.Count > 1)
            {
                // Half by half, until the culprit is alone and the others have their 201.
                await RunAsync([.. items.Take(items.Count / 2)], batch, connection);
                await RunAsync([.. items.Skip(items.Count / 2)], batch, connection);
                return;
            }
            catch (Exception e)
            {
                var problem = IntakeFailure.ToProblem(e);
                log.Log(problem.Code.Status == 500 ? LogLevel.Error : LogLevel.Warning,
                    problem.Code.Status == 500 ? e : null, "A batch of {Count} signals was not stored: {Reason}", items.Count, IntakeFailure.Describe(e));
                foreach (var item in items)
                {
                    item.Answer(IntakeResult.Of(problem));
                }
                return;
            }
        }
    }

    /// <summary>Everything but the write: the transaction is rolled back.</summary>
    public async Task<(Rehearsal? Rehearsal, Problem? Problem)> RehearseAsync(IntakeItem item, CancellationToken ct)
    {
        await using var connection = await database.OpenWriterAsync(ct);
        var world = new IdentityWorld();
        IReadOnlyDictionary<int, StoredDuplicate> duplicates;
        try
        {
            duplicates = await IntakeStore.LoadAsync(new KeptBatch(connection), database.Prepares, [item], findDuplicates: true, [item], relies: false, world, ct);
        }
        finally
        {
            await IntakeStore.RollbackAsync(connection);
        }
        if (duplicates.TryGetValue(0, out var stored))
        {
            var result = AsDuplicate(item, stored.Captured, stored.PayloadHash, stored.ContentHash);
            return result.Problem is { } problem ? (null, problem) : (new Rehearsal(item, result.Captured!, null, null, NeverFired), null);
        }
        var plan = new IntakePlan(world);
        var outcome = plan.Add(item, out var facts);
        var lastFires = await AutomationRunStore.LastFiresAsync(connection, prepare: false, plan.LimitsToLookUp(), ct);
        return (new Rehearsal(item, outcome, plan.Signals[0], facts, lastFires), null);
    }

    private async Task<IntakeResult[]> WriteAsync(IReadOnlyList<IntakeItem> items, BatchMemory memory, KeptConnection kept, bool relies)
    {
        await partitions.EnsureAsync("signals", items.Select(i => i.OccurredAt), CancellationToken.None);
        await partitions.EnsureAsync("webhook_events", items.Select(i => i.ReceivedAt), CancellationToken.None);
        var world = new IdentityWorld();
        var unknown = relies ? BatchMemory.Take(items, world) : items;
        var findsDuplicates = !relies || memory.ExpectsDuplicates;
        var begins = findsDuplicates || unknown.Count > 0;
        var batch = await kept.OpenAsync(CancellationToken.None);
        var connection = batch.Connection!;
        try
        {
            var duplicates = begins
                ? await IntakeStore.LoadAsync(batch, database.Prepares, items, findsDuplicates, unknown, relies, world, CancellationToken.None)
                : NoDuplicates;
            if (!world.IsConsistent)
            {
                throw new IntakeConflictException();
            }
            foreach (var item in items)
            {
                item.ForgetPlan();
            }
            var (results, plan) = Plan(items, duplicates, world);
            memory.Met(duplicates.Count);
            if (plan.Signals.Count == 0)
            {
                await IntakeStore.RollbackAsync(connection);
                await kept.LeaveAsync();
                return results;
            }
            if (plan.Detected.Any)
            {
                plan.Detected.Complete(plan, await CompanyContactStore.LoadAsync(connection, database.Prepares, plan.Detected.Companies, CancellationToken.None));
            }
            if (plan.Actions.HasLimits)
            {
                // The leads are locked, or are written only if nobody else has written them: what is read here holds until the commit.
                plan.Settle(await AutomationRunStore.LastFiresAsync(connection, database.Prepares, plan.LimitsToLookUp(), CancellationToken.None));
            }
            using var fresh = dispatcher.Reserve(plan.Deliveries);
            batch.Clear();
            var transaction = await IntakeStore.SaveAsync(
                batch, database.Prepares, begins, plan, Timestamps.Truncate(time.GetUtcNow()), CancellationToken.None);
            await kept.LeaveAsync();
            memory.Remember(world, unknown, transaction);
            fresh.Send();
            if (plan.Deliveries.Count > fresh.Count)
            {
                deliveries.Wake();
            }
            return results;
        }
        catch
        {
            try
            {
                if (begins && connection.State == ConnectionState.Open)
                {
                    await IntakeStore.RollbackAsync(connection);
                }
            }
            finally
            {
                await kept.DisposeAsync();
            }
            throw;
        }
    }

    private static (IntakeResult[] Results, IntakePlan Plan) Plan(
        IReadOnlyList<IntakeItem> items, IReadOnlyDictionary<int, StoredDuplicate> duplicates, IdentityWorld world)
    {
        var plan = new IntakePlan(world);
        var results = new IntakeResult[items.Count];
        var first = new Dictionary<(Guid, Guid), int>();
        var firstByClientKey = new Dictionary<(Guid, string), int>();
        for (var i = 0; i < items.Count; i++)
        {
            var item = items[i];
            if (duplicates.TryGetValue(i, out var stored))
            {
                results[i] = item.MayBeStored && stored.Captured.ReceivedAt == item.ReceivedAt && stored.Captured.SignalId == item.SignalId
                    ? IntakeResult.Of(stored.Captured with { IsDuplicate = false })     // ours: the commit went through, its answer did not
                    : AsDuplicate(item, stored.Captured, stored.PayloadHash, stored.ContentHash);
                continue;
            }
            var earlier = item.Dedupe.IsClientKey
                ? FirstOf(firstByClientKey, (item.WorkspaceId, Convert.ToHexString(item.Dedupe.Hash)), i)
                : FirstOf(first, (item.WorkspaceId, item.SignalId), i);
            results[i] = earlier == i
                ? IntakeResult.Of(plan.Add(item))
                : AsDuplicate(item, results[earlier].Captured! with { IsDuplicate = true }, items[earlier].Content.Payload,
                    item.Dedupe.IsClientKey ? items[earlier].Content.Bytes : null);
        }
        return (results, plan);
    }

    private static int FirstOf<TKey>(Dictionary<TKey, int> seen, TKey key, int index) where TKey : notnull =>
        seen.TryAdd(key, index) ? index : seen[key];

    private static IntakeResult AsDuplicate(IntakeItem item, CapturedSignal stored, long payloadHash, byte[]? contentHash)
    {
        if (contentHash is null)
        {
            return IntakeResult.Of(stored with { PayloadDiffers = payloadHash != item.Content.Payload });
        }
        var differing = item.Content.DifferingFields(contentHash);
        return differing.Count == 0
            ? IntakeResult.Of(stored)
            : IntakeResult.Of(KeyReused(differing));
    }

    /// <summary>A key that was used before for something else.</summary>
    /// <param name="fields">What differs, by the sender's names.</param>
    internal static Problem KeyReused(IReadOnlyList<string> fields) => new(ProblemCodes.IdempotencyKeyReused,
        $"The idempotency key was used before with another {string.Join(", ", fields)}: use a new key for a new signal.",
        [.. fields.Select(f => new FieldError($"/{f}", ProblemCodes.IdempotencyKeyReused.Code, $"/{f} differs from the first request with this key."))]);

    private static void Answer(List<IntakeItem> items, IntakeResult[] results)
    {
        if (items.Count == 1)
        {
            items[0].AnswerHere(results[0]);
            return;
        }
        for (var i = 0; i < items.Count; i++)
        {
            items[i].Answer(results[i]);
        }
    }
}
