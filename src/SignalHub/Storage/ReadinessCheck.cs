using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace SignalHub.Storage;

/// <summary>
/// Whether the database commits now. A reading query would pass on a standby or a full disk; this writes a message into the
/// log that nobody decodes, flushed by its commit, and touches no table.
/// </summary>
internal sealed class ReadinessCheck(Database database, IHostApplicationLifetime lifetime) : IHealthCheck
{
    private const int TimeoutSeconds = 2;

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            return HealthCheckResult.Unhealthy("stopping");
        }
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(TimeSpan.FromSeconds(TimeoutSeconds));
        try
        {
            await using var command = database.Source.CreateCommand("select pg_logical_emit_message(true, 'signalhub.ready', '')");
            command.CommandTimeout = TimeoutSeconds;
            await command.ExecuteNonQueryAsync(timeout.Token);
            return HealthCheckResult.Healthy();
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or OperationCanceledException or System.Net.Sockets.SocketException)
        {
            return HealthCheckResult.Unhealthy("database");
        }
    }
}
