using Npgsql;
using SignalHub.Storage;

namespace SignalHub.Webhooks.Delivery;

/// <summary>
/// Hints between nodes that there is something to deliver, by PostgreSQL's NOTIFY. Never part of a transaction that writes
/// signals (that halves the intake), and nothing depends on one: polling is the net.
/// </summary>
public sealed class DeliveryHintStore(Database database)
{
    private const string Channel = "signalhub_deliveries";

    /// <summary>Tells the other nodes. <paramref name="sender"/> is what they hear it from, so that the sender can leave out its own.</summary>
    public async Task NotifyAsync(string sender, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand("select pg_notify($1, $2)");
        command.Parameters.AddWithValue(Channel);
        command.Parameters.AddWithValue(sender);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Listens on a connection of its own until it breaks or is cancelled; both end in an exception.</summary>
    /// <param name="listening">Called when from now on nothing is missed.</param>
    public async Task ListenAsync(string self, Action listening, Action heard, CancellationToken cancellationToken)
    {
        if (!database.Prepares)
        {
            // A pooler gives the session to somebody else after each transaction: there is nothing to hear, and polling has to do.
            await new TaskCompletionSource().Task.WaitAsync(cancellationToken);
        }
        await using var connection = await database.OpenUnpooledAsync(cancellationToken);
        connection.Notification += (_, hint) =>
        {
            if (hint.Payload != self)
            {
                heard();
            }
        };
        await using (var listen = new NpgsqlCommand($"listen {Channel}", connection))
        {
            await listen.ExecuteNonQueryAsync(cancellationToken);
        }
        listening();
        while (true)
        {
            await connection.WaitAsync(cancellationToken);
        }
    }
}
