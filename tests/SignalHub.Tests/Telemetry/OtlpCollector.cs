using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace SignalHub.Tests.Telemetry;

internal sealed record CollectedSpan(string Service, string Scope, string TraceId, string SpanId, string ParentId, string Name, IReadOnlyDictionary<string, string> Tags);

/// <summary>
/// What OTLP is sent to: takes protobuf at /v1/traces and /v1/metrics, or as gRPC calls of the two services, and reads the few fields that
/// tests ask for, by the numbers of https://github.com/open-telemetry/opentelemetry-proto.
/// </summary>
internal sealed class OtlpCollector : IAsyncDisposable
{
    private const string Services = "/opentelemetry.proto.collector.";

    // Whether it is compressed, and its length.
    private const int GrpcPrefix = 5;

    private readonly WebApplication _app;
    private readonly ConcurrentQueue<CollectedSpan> _spans = new();
    private readonly ConcurrentDictionary<string, bool> _metrics = new(StringComparer.Ordinal);

    private OtlpCollector(WebApplication app) => _app = app;

    public string Url => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    public IReadOnlyList<CollectedSpan> Spans => [.. _spans];

    public ICollection<string> Metrics => _metrics.Keys;

    /// <param name="isGrpc">HTTP/2 without TLS, as the exporter speaks it to an http address.</param>
    public static async Task<OtlpCollector> StartAsync(bool isGrpc = false)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(listen => listen.Protocols = isGrpc ? HttpProtocols.Http2 : HttpProtocols.Http1));
        var app = builder.Build();
        var collector = new OtlpCollector(app);
        app.MapPost("/v1/traces", request => ReadAsync(request, collector.ReadSpans));
        app.MapPost("/v1/metrics", request => ReadAsync(request, collector.ReadMetrics));
        app.MapPost($"{Services}trace.v1.TraceService/Export", request => ReadCallAsync(request, collector.ReadSpans));
        app.MapPost($"{Services}metrics.v1.MetricsService/Export", request => ReadCallAsync(request, collector.ReadMetrics));
        await app.StartAsync();
        return collector;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static async Task ReadAsync(HttpContext context, Action<byte[]> read)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        read(body.ToArray());
        context.Response.ContentType = "application/x-protobuf";
    }

    private static async Task ReadCallAsync(HttpContext context, Action<byte[]> read)
    {
        await ReadAsync(context, call => read(call[GrpcPrefix..]));
        context.Response.ContentType = "application/grpc";
        await context.Response.Body.WriteAsync(new byte[GrpcPrefix]);     // an empty answer
        context.Response.AppendTrailer("grpc-status", "0");
    }

    private void ReadSpans(byte[] request)
    {
        foreach (var resourceSpans in Fields(request, 1))
        {
            var service = Attributes(Fields(resourceSpans, 1).Single(), 1).GetValueOrDefault("service.name", "");
            foreach (var scopeSpans in Fields(resourceSpans, 2))
            {
                var scope = Text(Fields(scopeSpans, 1).Single(), 1);
                foreach (var span in Fields(scopeSpans, 2))
                {
                    _spans.Enqueue(new CollectedSpan(service, scope, Hex(span, 1), Hex(span, 2), Hex(span, 4), Text(span, 5), Attributes(span, 9)));
                }
            }
        }
    }

    private void ReadMetrics(byte[] request)
    {
        foreach (var metric in Fields(request, 1).SelectMany(r => Fields(r, 2)).SelectMany(s => Fields(s, 2)))
        {
            _metrics[Text(metric, 1)] = true;
        }
    }

    /// <summary>KeyValue: key 1, value 2; of a value only texts (1) are read.</summary>
    private static Dictionary<string, string> Attributes(byte[] message, int number) =>
        Fields(message, number).ToDictionary(pair => Text(pair, 1), pair => Text(Fields(pair, 2).Single(), 1), StringComparer.Ordinal);

    private static string Text(byte[] message, int number) => Fields(message, number).Select(Encoding.UTF8.GetString).FirstOrDefault("");

    private static string Hex(byte[] message, int number) => Fields(message, number).Select(Convert.ToHexStringLower).FirstOrDefault("");

    /// <summary>The length-delimited fields of that number; the others are passed over.</summary>
    private static List<byte[]> Fields(byte[] message, int number)
    {
        var fields = new List<byte[]>();
        for (var at = 0; at < message.Length;)
        {
            var key = Varint(message, ref at);
            switch (key & 7)
            {
                case 0:
                    Varint(message, ref at);
                    break;
                case 1:
                    at += 8;
                    break;
                case 2:
                    var length = (int)Varint(message, ref at);
                    if ((int)(key >> 3) == number)
                    {
                        fields.Add(message[at..(at + length)]);
                    }
                    at += length;
                    break;
                case 5:
                    at += 4;
                    break;
                default:
                    throw new InvalidDataException($"Wire type {key & 7} at {at}.");
            }
        }
        return fields;
    }

    private static ulong Varint(byte[] message, ref int at)
    {
        var value = 0UL;
        for (var shift = 0; ; shift += 7)
        {
            var part = message[at++];
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
            {
                return value;
            }
        }
    }
}
