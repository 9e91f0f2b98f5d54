using SignalHub.Signals.Intake;

namespace SignalHub.Signals;

public static class SignalServices
{
    /// <summary>Taking signals in: checks, queue, writers.</summary>
    public static IServiceCollection AddSignals(this IServiceCollection services)
    {
        services.AddSingleton<CaptureDefinitions>();
        services.AddSingleton<TypeOfSignal>();
        services.AddSingleton<SignalCapture>();
        services.AddSingleton<SignalDoor>();
        services.AddSingleton<IntakeQueue>();
        services.AddSingleton<IntakeGate>();
        services.AddSingleton<RefusalLog>();
        services.AddSingleton<SignalIntake>();
        services.AddHostedService<IntakeLoop>();
        return services;
    }
}
