using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Webhooks;

/// <summary>
/// Our deliveries, verified by the npm packages that receivers use, run by Node: what we think of Standard Webhooks is not asked.
/// </summary>
public sealed class VerifyingWithPackagesTests
{
    // Pinned: another version is another test.
    private const string Packages = "standardwebhooks@1.1.1 svix@1.99.1";

    private const string Script = """
        const { Webhook: Standard } = require("standardwebhooks");
        const { Webhook: Svix } = require("svix");
        const { createHmac } = require("node:crypto");
        const cases = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
        const says = (verify) => { try { verify(); return true; } catch { return false; } };
        console.log(JSON.stringify(cases.map(({ secret, body, headers, hex }) => ({
            standard: says(() => new Standard(secret).verify(body, headers)),
            svix: says(() => new Svix(secret).verify(body, headers)),
            hex: hex === "sha256=" + createHmac("sha256", secret).update(body).digest("hex"),
        }))));
        """;

    [NodeFact]
    public async Task The_npm_packages_verify_deliveries_before_while_and_after_the_secret_is_rotated()
    {
        using var directory = new TemporaryDirectory();
        await Tools.RunAsync(directory.Path, "npm", Tools.NpmInstall(Packages.Split(' ')));
        await using var app = await SignalHubApp.StartAsync(("Roles:Jobs", "false"));
        using var acme = await app.NewWorkspaceAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        // The packages look at the machine's clock and refuse what is five minutes off.
        app.Clock.Advance(TimeProvider.System.GetUtcNow() - app.Clock.GetUtcNow());
        const string Own = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
        var endpoint = await acme.NewEndpointAsync(new { url = receiver.Url, secret = Own, signature_header = "X-Acme-Signature" });
        var path = $"/webhooks/endpoints/{endpoint["id"]}";
        async Task<ReceivedRequest> SendAsync()
        {
            await acme.Client.PostAsync($"{path}/test", new { }).JsonAsync(HttpStatusCode.OK);
            return receiver.Requests[^1];
        }

        var before = await SendAsync();
        var made = (string)(await acme.Client.PostAsync($"{path}/rotate", new { grace_period_hours = 24 }).JsonAsync(HttpStatusCode.Created))["secret"]!;
        var during = await SendAsync();
        await acme.Client.PostAsync($"{path}/rotate/finish", new { }).JsonAsync(HttpStatusCode.OK);
        var after = await SendAsync();
        var forged = after with { Body = [.. after.Body, (byte)' '] };

        var told = await VerifyAsync(directory.Path,
            (before, Own), (before, made), (during, Own), (during, made), (after, Own), (after, made), (forged, made));
        Assert.Equal(
        [
            "before, old: True True True", "before, new: False False False",
            // The hex header has room for one value, which is the old secret's until the rotation ends.
            "during, old: True True True", "during, new: True True False",
            "after, old: False False False", "after, new: True True True",
            "forged, new: False False False",
        ], told.Zip(["before, old", "before, new", "during, old", "during, new", "after, old", "after, new", "forged, new"],
            (says, name) => $"{name}: {says["standard"]} {says["svix"]} {says["hex"]}").Select(line => line.Replace("true", "True", StringComparison.Ordinal).Replace("false", "False", StringComparison.Ordinal)));
    }

    private static async Task<IReadOnlyList<JsonNode>> VerifyAsync(string directory, params (ReceivedRequest Request, string Secret)[] cases)
    {
        await File.WriteAllTextAsync(Path.Combine(directory, "verify.js"), Script);
        var input = JsonSerializer.Serialize(cases.Select(c => new
        {
            secret = c.Secret,
            body = System.Text.Encoding.UTF8.GetString(c.Request.Body),
            headers = c.Request.Headers.Where(h => h.Key.StartsWith("webhook-", StringComparison.OrdinalIgnoreCase)).ToDictionary(h => h.Key.ToLowerInvariant(), h => h.Value),
            hex = c.Request.Headers["X-Acme-Signature"],
        }));
        return [.. JsonNode.Parse(await Tools.RunAsync(directory, "node", ["verify.js"], input))!.AsArray().Select(n => n!)];
    }
}
