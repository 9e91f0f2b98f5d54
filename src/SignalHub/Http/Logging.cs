using System.Globalization;
using Microsoft.AspNetCore.Connections;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Extensions.Logging;

namespace SignalHub.Http;

/// <summary>
/// Serilog behind the framework's logging: lines for people in development, one JSON object per line in production, written by
/// a thread of its own. Levels are in the <c>Serilog</c> section of the settings.
/// </summary>
public static class Logging
{
    private const string DevelopmentTemplate = "{Timestamp:HH:mm:ss} {Level:u3} {Message:lj}{NewLine}{Exception}";

    // The hosting layer puts the raw path into every event of a request; it may hold a token or somebody's address.
    private static readonly string[] _unwanted = ["RequestPath", "ConnectionId", "ActionId", "EventId"];

    public static WebApplicationBuilder AddSignalHubLogging(this WebApplicationBuilder builder)
    {
        builder.Logging.ClearProviders();
        builder.Logging.SetMinimumLevel(LogLevel.Trace); // Serilog decides
        builder.Services.AddSingleton<ILoggerProvider>(services => new SerilogLoggerProvider(
            Create(services.GetRequiredService<IConfiguration>(), services.GetRequiredService<IHostEnvironment>()), dispose: true));
        return builder;
    }

    private static Logger Create(IConfiguration configuration, IHostEnvironment environment)
    {
        var logger = WithLevels(configuration).Enrich.With<WithoutUnwanted>().Filter.ByExcluding(IsReportedAtStart);
        // Lines for people also for whoever typed dotnet run; a log collector reads a pipe.
        return (environment.IsDevelopment() || !Console.IsOutputRedirected
            ? logger.WriteTo.Async(background => background.Console(outputTemplate: DevelopmentTemplate, formatProvider: CultureInfo.InvariantCulture))
            : logger.WriteTo.Sink<JsonLines>()).CreateLogger();
    }

    /// <summary>
    /// <c>Serilog:MinimumLevel:Default</c> and <c>Serilog:MinimumLevel:Override:{source}</c>. A word that is no level counts as
    /// Information here: the log exists before the settings are checked and refused.
    /// </summary>
    private static LoggerConfiguration WithLevels(IConfiguration configuration)
    {
        var levels = configuration.GetSection("Serilog:MinimumLevel");
        var logger = new LoggerConfiguration().MinimumLevel.Is(Level(levels["Default"]));
        foreach (var source in levels.GetSection("Override").GetChildren())
        {
            logger.MinimumLevel.Override(source.Key, Level(source.Value));
        }
        return logger;

        static LogEventLevel Level(string? name) => Enum.TryParse<LogEventLevel>(name, ignoreCase: true, out var level) ? level : LogEventLevel.Information;
    }

    /// <summary>An address in use is the one line the start ends with; the host would add a stack trace.</summary>
    private static bool IsReportedAtStart(LogEvent line) => line.Exception is IOException { InnerException: AddressInUseException };

    private sealed class WithoutUnwanted : ILogEventEnricher
    {
        public void Enrich(LogEvent logEvent, ILogEventPropertyFactory propertyFactory)
        {
            foreach (var name in _unwanted)
            {
                logEvent.RemovePropertyIfPresent(name);
            }
        }
    }
}
