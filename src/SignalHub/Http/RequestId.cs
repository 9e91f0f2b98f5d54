using System.Buffers;
using System.Security.Cryptography;

namespace SignalHub.Http;

/// <summary>
/// One id per request, in the answer's <c>X-Request-Id</c>, in problems and in the log: the client's own where it can be
/// written anywhere without quoting (1–128 of <c>[A-Za-z0-9._-]</c>), else one of ours. It is <c>HttpContext.TraceIdentifier</c>.
/// </summary>
public static class RequestId
{
    public const string Header = "X-Request-Id";

    private const string Prefix = "req_";
    private const int MaxLength = 128;
    private const int RandomBytes = 16;

    // Each call of the generator asks the system whether the process was forked.
    private const int DrawnAtOnce = 64;

    private static readonly SearchValues<char> _allowed = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    [ThreadStatic]
    private static byte[]? _random;

    [ThreadStatic]
    private static int _left;

    public static IApplicationBuilder UseRequestId(this IApplicationBuilder app) => app.Use(static (context, next) =>
    {
        var given = context.Request.Headers[Header];
        var id = given.Count == 1 && IsUsable(given[0]) ? given[0]! : New();
        context.TraceIdentifier = id;
        // At the last moment: handling an exception clears the headers set before.
        context.Response.OnStarting(static state =>
        {
            var current = (HttpContext)state;
            current.Response.Headers[Header] = current.TraceIdentifier;
            return Task.CompletedTask;
        }, context);
        return next(context);
    });

    internal static bool IsUsable(string? id) => id is { Length: > 0 and <= MaxLength } && !id.AsSpan().ContainsAnyExcept(_allowed);

    internal static string New()
    {
        var random = _random ??= new byte[RandomBytes * DrawnAtOnce];
        if (_left == 0)
        {
            RandomNumberGenerator.Fill(random);
            _left = DrawnAtOnce;
        }
        _left--;
        return string.Create(Prefix.Length + (2 * RandomBytes), random.AsMemory(_left * RandomBytes, RandomBytes), static (id, bytes) =>
        {
            Prefix.CopyTo(id);
            Convert.TryToHexStringLower(bytes.Span, id[Prefix.Length..], out _);
        });
    }
}
