namespace SignalHub.Tests.Support;

/// <summary>One service for all tests of a class, each with a workspace of its own; the clock only goes forward.</summary>
public sealed class SharedApp : IAsyncLifetime
{
    internal SignalHubApp App { get; private set; } = null!;

    public async Task InitializeAsync() => App = await SignalHubApp.StartAsync(("Roles:Jobs", "false"));

    public async Task DisposeAsync() => await App.DisposeAsync();
}
