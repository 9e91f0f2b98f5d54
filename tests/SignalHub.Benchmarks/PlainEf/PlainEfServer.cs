using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace SignalHub.Benchmarks.PlainEf;

/// <summary>
/// <c>POST /signals</c> as a team would write it first: one request, one unit of work, Entity Framework Core. It stores the same
/// rows in the same schema as the service, and is spared what the service does besides: no limits, no validation worth the
/// name, a fixed score, endpoints read once, no request log.
/// </summary>
internal static class PlainEfServer
{
    public const string ConnectionSetting = "PlainEf:Connection";

    public static async Task<int> RunAsync()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        var connection = builder.Configuration[ConnectionSetting] ?? throw new InvalidOperationException("load sets the connection string.");
        builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower);
        builder.Services.AddDbContextPool<PlainEfContext>(options => options.UseNpgsql(connection));
        builder.Services.AddSingleton(await FixedScore.ReadAsync(connection));
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddScoped<PlainEfEndpoint>();
        var app = builder.Build();
        app.MapGet("/health/ready", () => Results.Ok());
        app.MapPost("/signals", (SignalInput input, HttpRequest request, PlainEfEndpoint endpoint) => endpoint.CaptureAsync(input, request));
        await app.RunAsync();
        return 0;
    }
}

/// <summary>The body of the request.</summary>
internal sealed record SignalInput(string SignalType, string Source, string? EventName, DateTimeOffset OccurredAt, IdentityInput Identity, JsonElement Context);

/// <summary>Whom it is about.</summary>
internal sealed record IdentityInput(string Email, string CompanyDomain, string? FirstName, string? LastName, string? Title);

/// <summary>The qualification every signal gets, as the service would have scored it, and the endpoints that hear of it.</summary>
internal sealed record FixedScore(
    string Json, string IcpCode, short IcpScore, string PersonaCode, short PersonaScore, IReadOnlyDictionary<Guid, Guid[]> Endpoints)
{
    public static async Task<FixedScore> ReadAsync(string connectionString)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var context = new PlainEfContext(new DbContextOptionsBuilder<PlainEfContext>().UseNpgsql(source).Options);
        var endpoints = await context.Endpoints.Where(e => e.Enabled).GroupBy(e => e.WorkspaceId).ToDictionaryAsync(g => g.Key, g => g.Select(e => e.Id).ToArray());
        await using var command = source.CreateCommand("select qualification, icp_code, icp_score::smallint, persona_code, persona_score::smallint from bench_sample");
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return new FixedScore(reader.GetString(0), reader.GetString(1), reader.GetInt16(2), reader.GetString(3), reader.GetInt16(4), endpoints);
    }
}
