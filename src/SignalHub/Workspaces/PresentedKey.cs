using System.Text;
using Microsoft.Extensions.Primitives;
using SignalHub.Http;

namespace SignalHub.Workspaces;

/// <summary>
/// Finds the key in a request's headers: <c>Authorization: Bearer</c> (RFC 6750), <c>api_key</c>, <c>X-Api-Key</c>, or Basic with
/// the key as user (RFC 7617). An empty header counts as absent; several headers must agree.
/// </summary>
public static class PresentedKey
{
    private const string Expected = "Send the header \"Authorization: Bearer sk_live_…\" (or api_key, or X-Api-Key) with a key of your workspace.";

    private static readonly string[] _plainHeaders = ["api_key", "X-Api-Key"];

    /// <summary>The key, or the 401 that says what to send. It is not checked here.</summary>
    public static (string? Key, Problem? Problem) Read(IHeaderDictionary headers)
    {
        var (key, problem) = FromAuthorization(headers.Authorization);
        if (problem is not null)
        {
            return (null, problem);
        }
        foreach (var name in _plainHeaders)
        {
            foreach (var value in headers[name])
            {
                if (string.IsNullOrWhiteSpace(value))
                {
                    continue;
                }
                var found = value.Trim();
                if (key is not null && key != found)
                {
                    return (null, new Problem(ProblemCodes.InvalidKey, $"The request carries different keys: send one. {Expected}"));
                }
                key = found;
            }
        }
        return key is null
            ? (null, new Problem(ProblemCodes.KeyRequired, $"The request carries no API key. {Expected}"))
            : (key, null);
    }

    private static (string? Key, Problem? Problem) FromAuthorization(StringValues values)
    {
        if (values.Count > 1)
        {
            return Refuse("The header Authorization is there twice: send it once.");
        }
        var text = values.ToString().Trim();
        if (text.Length == 0)
        {
            return (null, null);
        }
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        var scheme = space < 0 ? text : text[..space];
        var credentials = space < 0 ? "" : text[space..].Trim();
        if (scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase))
        {
            return credentials.Length == 0 || credentials.AsSpan().ContainsAny(' ', ',', '\t')
                ? Refuse("The header Authorization does not hold one key after \"Bearer \".")
                : (credentials, null);
        }
        if (scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase))
        {
            return UserOf(credentials) is { Length: > 0 } user
                ? (user, null)
                : Refuse("The header Authorization holds no key: with Basic, the key is the user name and the password stays empty.");
        }
        return Refuse("The header Authorization is neither \"Bearer <key>\" nor Basic.");
    }

    private static string? UserOf(string base64)
    {
        var bytes = new byte[base64.Length];
        if (!Convert.TryFromBase64String(base64, bytes, out var length))
        {
            return null;
        }
        var text = Encoding.UTF8.GetString(bytes, 0, length);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return (colon < 0 ? text : text[..colon]).Trim();
    }

    private static (string? Key, Problem? Problem) Refuse(string why) => (null, new Problem(ProblemCodes.InvalidKey, $"{why} {Expected}"));
}
