using SignalHub.Webhooks.Formats;

namespace SignalHub.Webhooks.Delivery;

/// <summary>The record of a test send, as the API shows it.</summary>
public sealed record TestSendResult(Guid DeliveryId, Guid EventId, Outcome Outcome, AttemptResult Attempt);

/// <summary>
/// Sends a <c>test</c> event to an endpoint, enabled or not, now and once: same signing, same guard, same limits as a real
/// one. It is kept in the delivery log and leaves the endpoint's health alone.
/// </summary>
public sealed class TestSend(TargetStore targets, EndpointStore endpoints, AttemptStore attempts, WebhookSender sender, SecretProtection secrets, TimeProvider clock)
{
    /// <returns>Null when the workspace has no such endpoint.</returns>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The endpoint's secret cannot be decrypted.</exception>
    public async Task<TestSendResult?> SendAsync(Guid workspaceId, Guid endpointId, CancellationToken cancellationToken)
    {
        if (await targets.FindAsync(workspaceId, endpointId, cancellationToken) is not { } target
            || await endpoints.FindAsync(workspaceId, endpointId, cancellationToken) is not { } endpoint)
        {
            return null;
        }
        var made = WebhookEvents.Test(workspaceId, clock.GetUtcNow(), endpoint.Events);
        var slack = endpoint.Format == EndpointFormats.Slack ? SlackMessage.Of(made.Type, made.Body) : null;
        var request = new DeliveryRequest
        {
            Url = target.Url,
            Timeout = target.Timeout,
            Secrets = target.SigningSecrets(secrets),
            SignatureHeader = target.SignatureHeader,
            EventId = made.Id,
            EventType = made.Type,
            DeliveryId = NewDelivery.IdOf(made.Id, endpointId),
            Attempt = 1,
            Body = slack ?? made.Body,
        };
        using var span = DeliverySpan.BeginTest(target, request);
        var attempt = await sender.SendAsync(request, cancellationToken);
        var outcome = Outcome.Of(attempt);
        DeliverySpan.End(span, attempt.Status, outcome.Verdict == Verdict.Delivered ? Ending.Delivered.State : Ending.Exhausted.State, outcome.Error);
        await attempts.RecordTestAsync(request, target.Key, made, slack, attempt, outcome, cancellationToken);
        return new TestSendResult(request.DeliveryId, made.Id, outcome, attempt);
    }
}
