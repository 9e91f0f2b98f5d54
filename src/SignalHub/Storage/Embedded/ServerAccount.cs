namespace SignalHub.Storage.Embedded;

/// <summary>
/// The operating system account the server runs under. PostgreSQL refuses root, so root hands the server to an account that
/// owns nothing else; everyone else runs it themselves.
/// </summary>
internal sealed record ServerAccount(string Name, bool Switches)
{
    // "postgres" is made by the system's package; "nobody" is everywhere.
    private static readonly string[] _candidates = ["postgres", "nobody"];

    /// <exception cref="StartException">We are root and the system has no account to run the server under.</exception>
    public static ServerAccount Choose()
    {
        if (OperatingSystem.IsWindows() || !Environment.IsPrivilegedProcess)
        {
            return new ServerAccount(Environment.UserName, Switches: false);
        }
        var known = KnownAccounts();
        var name = _candidates.FirstOrDefault(known.Contains)
            ?? throw new StartException("PostgreSQL does not run as root, and this system has neither an account \"postgres\" nor \"nobody\": start SignalHub as another user.");
        return new ServerAccount(name, Switches: true);
    }

    /// <summary>Gives a directory and all in it to the account.</summary>
    public async Task TakeOverAsync(string directory, CancellationToken cancellationToken)
    {
        if (!Switches)
        {
            return;
        }
        var result = await ToolProcess.RunAsync("chown", ["-R", Name, directory], account: null, cancellationToken);
        if (!result.Succeeded)
        {
            throw new StartException($"Cannot give {directory} to the account {Name}: {result.LastLine}");
        }
    }

    /// <summary>Whether the account can pass through to the directory: every parent has to let it.</summary>
    public async Task<bool> CanEnterAsync(string directory, CancellationToken cancellationToken) =>
        !Switches || (await ToolProcess.RunAsync("/bin/sh", ["-c", "cd \"$0\"", directory], this, cancellationToken)).Succeeded;

    private static HashSet<string> KnownAccounts()
    {
        try
        {
            return [.. File.ReadLines("/etc/passwd").Select(line => line.Split(':')[0])];
        }
        catch (IOException)
        {
            return [];
        }
    }
}
