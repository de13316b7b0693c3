package app

// Provider keys in the secret. They are fetched before a run, and never at start.

import (
	"context"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"thalas/internal/provider"
	"thalas/internal/secrets"
)

// openSecret makes the source of the keys if the configuration names a secret.
func (a *App) openSecret() error {
	if a.Config.SecretID == "" || a.Simulated {
		return nil
	}
	c, err := a.awsConfig()
	if err != nil {
		return err
	}
	o := secrets.Options{SecretID: a.Config.SecretID, MaxAge: a.Config.SecretAge, Logger: a.log}
	for _, p := range a.Config.Providers {
		o.Providers = append(o.Providers, p.Name)
	}
	a.secret = secrets.New(secretsmanager.NewFromConfig(c), o)
	a.keyed = map[string]*provider.Keyed{}
	return nil
}

// construct makes one provider, with its key in the environment or else in the secret.
func (a *App) construct(i int, settings provider.Settings, client *http.Client, breaker *provider.Breaker) (provider.Provider, error) {
	withKey := func(key provider.Key) (provider.Provider, error) {
		settings := settings
		settings.Key = key
		return providers[i].construct(settings, a.Catalog, client)
	}
	if a.secret == nil || settings.Key.IsSet() {
		return withKey(settings.Key)
	}
	keyed, err := provider.NewKeyed(withKey, a.secret, breaker)
	if err != nil {
		return nil, err
	}
	a.keyed[providers[i].Name] = keyed
	return keyed, nil
}

// Prepare gives every provider its current key before a run. It calls Secrets Manager
// only if the keys are unknown or too old. Its error is that of the secret, and only if no
// provider can be asked without it.
func (a *App) Prepare(ctx context.Context) error {
	if len(a.keyed) == 0 { // no provider has its key in the secret
		return nil
	}
	keys, err := a.secret.Keys(ctx)
	if err != nil && ctx.Err() != nil {
		return err // the caller's context has ended, which says nothing about the secret
	}
	for name, p := range a.keyed {
		a.Registry.SetUnavailable(name, a.give(p, keys[name], err))
	}
	if err != nil && len(a.Registry.Available()) == 0 {
		return err
	}
	return nil
}

// give gives a provider its key. It returns why the provider can't be asked, or "".
func (a *App) give(p *provider.Keyed, key provider.Key, failed error) string {
	switch {
	case failed != nil:
		return failed.Error()
	case !key.IsSet():
		_ = p.Use(key) // an empty key is never refused
		return "no API key: the secret " + a.Config.SecretID + " has no " + provider.Variable(p.Name(), "API_KEY")
	}
	if err := p.Use(key); err != nil {
		return err.Error()
	}
	return ""
}
