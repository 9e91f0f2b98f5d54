using Npgsql;

namespace SignalHub.Tests.Support;

/// <summary>A second connection that LISTENs to the hints between nodes and counts them by sender.</summary>
internal sealed class HintListener : IAsyncDisposable
{
    private const string Sentinel = "sentinel";
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    private readonly NpgsqlConnection _listening;
    private readonly NpgsqlConnection _asking;
    private readonly Dictionary<string, int> _heard = [];
    private int _sentinels;

    private HintListener(string connectionString)
    {
        _listening = new NpgsqlConnection(connectionString);
        _asking = new NpgsqlConnection(connectionString);
        _listening.Notification += (_, hint) =>
        {
            if (hint.Payload == Sentinel)
            {
                _sentinels++;
            }
            else
            {
                _heard[hint.Payload] = _heard.GetValueOrDefault(hint.Payload) + 1;
            }
        };
    }

    public static async Task<HintListener> StartAsync(string connectionString)
    {
        var listener = new HintListener(connectionString);
        await listener._listening.OpenAsync();
        await listener._asking.OpenAsync();
        await using var listen = new NpgsqlCommand("LISTEN signalhub_deliveries", listener._listening);
        await listen.ExecuteNonQueryAsync();
        return listener;
    }

    /// <summary>
    /// How many were sent up to now, by the node that has sent the most. Notifications come in the order of their commits, so what was committed
    /// before the one that is sent here has been heard when this one is.
    /// </summary>
    public async Task<int> HeardAsync()
    {
        var before = _sentinels;
        await using (var notify = new NpgsqlCommand($"select pg_notify('signalhub_deliveries', '{Sentinel}')", _asking))
        {
            await notify.ExecuteNonQueryAsync();
        }
        using var limit = new CancellationTokenSource(_patience);
        while (_sentinels == before)
        {
            await _listening.WaitAsync(limit.Token);
        }
        return _heard.Values.DefaultIfEmpty().Max();
    }

    /// <summary>Waits until so many were heard of one node.</summary>
    public async Task<int> WaitForAsync(int count, Action? meanwhile = null)
    {
        using var limit = new CancellationTokenSource(_patience);
        while (true)
        {
            var heard = await HeardAsync();
            if (heard >= count)
            {
                return heard;
            }
            Assert.False(limit.IsCancellationRequested, $"Heard {heard} hints instead of {count}.");
            meanwhile?.Invoke();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _listening.DisposeAsync();
        await _asking.DisposeAsync();
    }
}
