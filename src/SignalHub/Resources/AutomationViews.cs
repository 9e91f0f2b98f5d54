using System.Text.Json;

namespace SignalHub.Resources;

/// <summary>
/// The body of <c>automation.action_triggered</c>: the fields of the Stairoids webhook and no others, so that what was written
/// for it reads this.
/// </summary>
/// <param name="Event">Always <c>automation.action_triggered</c>.</param>
/// <param name="AutomationId"><c>auto_…</c></param>
/// <param name="TriggeredAt">When the signal was received: its automations fire with it.</param>
/// <param name="Account">Null when no company is known.</param>
/// <param name="Contact">Null when no person is known.</param>
public sealed record ActionTriggered(
    string Event, string AutomationId, string AutomationName, DateTimeOffset TriggeredAt,
    TriggeredAccount? Account, TriggeredContact? Contact, TriggeredSignal Signal)
{
    public const string EventType = "automation.action_triggered";

    /// <param name="typeSent">The signal's type as its sender spelled it.</param>
    public static ActionTriggered Of(string automationId, string automationName, string typeSent, SignalData signal) => new(
        EventType, automationId, automationName, signal.ReceivedAt,
        signal.Account is { } account ? new TriggeredAccount(account.Id, account.Name, account.Domain) : null,
        signal.Contact is { } contact ? new TriggeredContact(contact.Id, contact.Email, contact.FirstName, contact.LastName) : null,
        new TriggeredSignal(signal.Id, typeSent, signal.Source, signal.Context, signal.ReceivedAt));
}

/// <param name="Id"><c>acc_…</c></param>
public sealed record TriggeredAccount(string Id, string? Name, string? Domain);

/// <param name="Id"><c>con_…</c></param>
public sealed record TriggeredContact(string Id, string? Email, string? FirstName, string? LastName);

/// <param name="Id"><c>sig_…</c></param>
/// <param name="Type">As sent.</param>
/// <param name="Properties">The signal's context, as sent.</param>
/// <param name="CreatedAt">When it was received.</param>
public sealed record TriggeredSignal(string Id, string Type, string Source, JsonElement Properties, DateTimeOffset CreatedAt);
