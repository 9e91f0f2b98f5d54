using System.Net;
using System.Text.Json.Nodes;

namespace SignalHub.Tests.Support;

/// <summary>What a workspace's users do with automations.</summary>
internal static class AutomationIntents
{
    public static Task<JsonNode> NewAutomationAsync(this TestWorkspace workspace, object automation) =>
        workspace.Client.PostAsync("/automations", automation).JsonAsync(HttpStatusCode.Created);

    /// <summary>An automation that sends to a URL of its own; answers its id.</summary>
    public static async Task<string> NewAutomationAsync(this TestWorkspace workspace, string url, string? when = null, object? limit = null, string name = "Trial") =>
        (string)(await workspace.NewAutomationAsync(new { name, when, action = new { url }, limit }))["id"]!;

    public static async Task<string> SignalIdAsync(this TestWorkspace workspace, object signal) => (string)(await workspace.IngestAsync(signal))["signal_capture_id"]!;

    /// <summary>Runs of an automation, newest first.</summary>
    public static async Task<JsonArray> RunsAsync(this TestWorkspace workspace, string automation, string query = "") =>
        (await workspace.GetAsync($"/automations/{automation}/runs{query}"))["data"]!.AsArray();

    public static Task<JsonNode> TryAutomationAsync(this TestWorkspace workspace, string automation, string signal) =>
        workspace.Client.PostAsync($"/automations/{automation}/test", new { signal_id = signal }).JsonAsync(HttpStatusCode.OK);
}
