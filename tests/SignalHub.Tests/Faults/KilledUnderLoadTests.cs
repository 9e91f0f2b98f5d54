using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Faults;

/// <summary>The promise that matters most, against a real process that gets SIGKILL while it works.</summary>
public sealed class KilledUnderLoadTests
{
    private const int Rounds = 3;
    private const int Senders = 8;
    private const int SignalsEach = 60;

    [Fact]
    public async Task Every_acknowledged_signal_is_stored_once_and_its_endpoint_hears_of_it_at_least_once()
    {
        await using var database = await SharedDatabase.CreateAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        var process = database.Start();
        var url = await process.ReadyAsync();
        var key = await PrepareAsync(url, receiver.Url);
        var acknowledged = new ConcurrentDictionary<string, string>();
        var address = new Address(url);

        var senders = Enumerable.Range(0, Senders).Select(sender => SendAllAsync(address, key, sender, acknowledged)).ToList();
        for (var round = 1; round <= Rounds; round++)
        {
            // Kill in the middle of the work: after another share of the signals has been acknowledged.
            await address.WaitUntilAsync(() => acknowledged.Count >= Senders * SignalsEach * round / (Rounds + 1));
            await process.KillAsync();
            process = database.Start();
            address.Url = await process.ReadyAsync();
        }
        await Task.WhenAll(senders);

        Assert.Equal(Senders * SignalsEach, acknowledged.Count);
        // What the dead had claimed is leased for a minute and a half: let that time pass.
        await database.LetLeasesEndAsync();
        await receiver.WaitUntilAsync(requests => requests.Select(r => r.Headers["webhook-id"]).Distinct().Count() >= acknowledged.Count);
        await process.DisposeAsync();
        await using var connection = await database.OpenAsync();
        await using var command = new Npgsql.NpgsqlCommand(
            "select (select count(*) from signals), (select sum(signal_count)::bigint from leads), (select count(*) from delivery_queue), (select count(*) from delivery_history where state = 'delivered')", connection);
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        Assert.Equal((acknowledged.Count, acknowledged.Count), (reader.GetInt64(0), reader.GetInt64(1)));
        var heard = receiver.Requests.Select(r => (string)JsonNode.Parse(r.Body)!["data"]!["id"]!).ToHashSet();
        Assert.Empty(acknowledged.Values.Except(heard));
    }

    private static async Task<string> PrepareAsync(Uri url, string receiver)
    {
        var key = await SharedDatabase.NewWorkspaceAsync(url);
        using var client = SharedDatabase.Client(url, key);
        await client.PostAsync("/webhooks/endpoints", new { url = receiver, timeout_seconds = 1 }).JsonAsync(HttpStatusCode.Created);
        return key;
    }

    /// <summary>A client that retries what was not acknowledged, as every sender of events does.</summary>
    private static async Task SendAllAsync(Address address, string key, int sender, ConcurrentDictionary<string, string> acknowledged)
    {
        for (var i = 0; i < SignalsEach; i++)
        {
            var signal = new
            {
                signal_type = "custom_event", source = $"sender-{sender}", event_name = "user_invited_teammate",
                occurred_at = $"2026-03-14T08:{i:00}:00Z",
                identity = new { email = $"p{i % 7}@company.com", title = "VP Engineering" }, context = new { team_size = 12, plan_tier = "free" },
            };
            var id = await address.RetryAsync(async url =>
            {
                using var client = SharedDatabase.Client(url, key);
                using var response = await client.PostAsync("/signals", signal);
                return response.StatusCode is HttpStatusCode.Created or HttpStatusCode.OK
                    ? (string)(await response.JsonAsync(response.StatusCode))["signal_capture_id"]!
                    : null;
            });
            acknowledged[$"{sender}/{i}"] = id;
            address.Progressed();
        }
    }

    /// <summary>Where the service is; changes with each restart, and senders wait for the change instead of sleeping.</summary>
    private sealed class Address(Uri url)
    {
        private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
        private readonly Lock _lock = new();
        private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private Uri _url = url;

        public Uri Url
        {
            get
            {
                lock (_lock)
                {
                    return _url;
                }
            }
            set
            {
                lock (_lock)
                {
                    _url = value;
                }
                Progressed();
            }
        }

        public void Progressed()
        {
            lock (_lock)
            {
                _changed.TrySetResult();
                _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }

        public async Task WaitUntilAsync(Func<bool> reached)
        {
            while (true)
            {
                Task changed;
                lock (_lock)
                {
                    changed = _changed.Task;
                }
                if (reached())
                {
                    return;
                }
                await changed.WaitAsync(_patience);
            }
        }

        public async Task<string> RetryAsync(Func<Uri, Task<string?>> send)
        {
            while (true)
            {
                var url = Url;
                try
                {
                    if (await send(url) is { } id)
                    {
                        return id;
                    }
                }
                catch (HttpRequestException)
                {
                    // The process is gone: wait for the next one.
                    await WaitUntilAsync(() => Url != url);
                }
            }
        }
    }
}
