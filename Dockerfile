# Built with the SDK, run without it, as the image's unprivileged user.
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /src
COPY global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY src/SignalHub/SignalHub.csproj src/SignalHub/
RUN dotnet restore src/SignalHub/SignalHub.csproj
COPY src src
RUN dotnet publish src/SignalHub/SignalHub.csproj -c Release --no-restore -o /app

FROM mcr.microsoft.com/dotnet/aspnet:10.0
WORKDIR /app
COPY --from=build /app .
# /data holds keys.txt when the demo workspace is on; the database is elsewhere.
RUN mkdir /data && chown "$APP_UID" /data
VOLUME /data
# 64 MB for the collector's youngest generation: with .NET's own choice the service takes fewer signals a second (docs/decisions/0037).
ENV ASPNETCORE_HTTP_PORTS="" \
    ASPNETCORE_URLS="http://+:8080" \
    SignalHub__DataDirectory="/data" \
    DOTNET_GCgen0size="0x4000000"
USER $APP_UID
EXPOSE 8080
# The image has no curl: the binary asks itself.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["dotnet", "SignalHub.dll", "--health"]
ENTRYPOINT ["dotnet", "SignalHub.dll"]
